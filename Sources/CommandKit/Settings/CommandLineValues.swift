/// The settings that were given on the command line: what an argument-parser command found in its options.
///
/// ```swift
/// var given = CommandLineValues()
/// given.set(WorkerSettings.user, to: user, option: "--user")     // `user` is a String?; nil sets nothing
/// ```
public struct CommandLineValues: Sendable {
    struct Entry: Sendable {
        let declaration: SettingDeclaration
        let option: String
        let text: String
    }

    private(set) var entries: [Entry] = []

    /// Begins with no settings.
    public init() {}

    /// Gives a setting the text of an option; it is checked when the settings are loaded.
    ///
    /// - Parameters:
    ///   - setting: The setting.
    ///   - text: The option's value; nil when the option was not given.
    ///   - option: The option as its user knows it: `--user`.
    public mutating func set(_ setting: some DeclaredSetting, to text: String?, option: String) {
        guard let text else { return }
        entries.append(Entry(declaration: setting.erased.declaration, option: option, text: text))
    }

    /// Gives a setting the value of an option of another type.
    ///
    /// - Parameters:
    ///   - setting: The setting.
    ///   - value: The option's value; nil when the option was not given.
    ///   - option: The option as its user knows it: `--stats-poll`.
    public mutating func set(
        _ setting: some DeclaredSetting, to value: (some LosslessStringConvertible)?, option: String
    ) {
        set(setting, to: value.map { String(describing: $0) }, option: option)
    }

    /// Switches a setting on.
    ///
    /// - Parameters:
    ///   - setting: A boolean setting.
    ///   - isOn: Whether the flag was given; `false` leaves the setting to the other layers.
    ///   - option: The flag as its user knows it: `--nodaemon`.
    public mutating func set(_ setting: some DeclaredSetting, ifGiven isOn: Bool, option: String) {
        set(setting, to: isOn ? "true" : nil, option: option)
    }

    /// Gives a list the values of an option that may be repeated.
    ///
    /// - Parameters:
    ///   - setting: A list.
    ///   - values: The option's values; none when it was not given.
    ///   - option: The option as its user knows it: `--server`.
    public mutating func set(_ setting: some DeclaredSetting, to values: [String], option: String) {
        set(setting, to: values.isEmpty ? nil : values.joined(separator: "\n"), option: option)
    }
}
