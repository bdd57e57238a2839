public import Configuration

/// The settings of a program, checked, from all layers: command line, then environment, then file, then defaults.
public struct Settings: Sendable {
    /// The layers as swift-configuration reads them; keys are `worker.haproxy.service` and the like.
    public let reader: ConfigReader
    /// What is to be said at the start, a line each: secrets in files that every user of the host may read.
    public let warnings: [String]
    /// Where the settings of each layer stand, the strongest layer first.
    private let origins: [[SettingPlace: String]]

    init(layers: [SettingsLayer]) {
        reader = ConfigReader(providers: layers.map(\.provider))
        origins = layers.map(\.origins)
        warnings = layers.flatMap(\.warnings)
    }

    /// The value of a setting.
    ///
    /// - Parameter setting: One of the schema's settings.
    public subscript<Value>(setting: Setting<Value>) -> Value { setting.read(reader) }

    /// Where a setting's value comes from.
    ///
    /// - Parameter setting: One of the schema's settings.
    /// - Returns: `--user`, `LIBRA_WORKER_USER`, or `/etc/libra/libra.cfg:12: [worker] user`; nil for a default.
    public func origin(of setting: some DeclaredSetting) -> String? {
        let place = setting.erased.declaration.place
        return origins.lazy.compactMap { $0[place] }.first
    }

    /// Whether any layer but the defaults has a value for a setting.
    ///
    /// - Parameter setting: One of the schema's settings.
    /// - Returns: True when the file, the environment or the command line has one.
    public func isSet(_ setting: some DeclaredSetting) -> Bool { origin(of: setting) != nil }
}
