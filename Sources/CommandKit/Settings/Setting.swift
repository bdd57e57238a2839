import Configuration

/// One setting of a program: where it stands in the file and the environment, what values it takes, and its default.
///
/// ```swift
/// enum WorkerSettings {
///     static let connections = Setting("worker", "connections", .integer(1...64), default: 4)
///     static let user = Setting("worker", "user", .word)          // a `Setting<String?>`
/// }
/// let count = settings[WorkerSettings.connections]                // an Int
/// ```
public struct Setting<Value: Sendable>: Sendable {
    /// Where it stands first; the other places, in which it may stand too, come after this one.
    public let place: SettingPlace
    let declaration: SettingDeclaration
    let read: @Sendable (ConfigReader) -> Value

    /// Declares a setting that always has a value.
    ///
    /// - Parameters:
    ///   - section: The section's name, with its sub-name when it has one: `worker:haproxy`.
    ///   - key: The key, in lower case and with `_` between words.
    ///   - kind: The values it takes.
    ///   - defaultValue: Its value when no layer has one.
    ///   - otherPlaces: Where it may stand too. In one layer the first place that has a value wins.
    ///   - inheritsGlobal: Whether the key in `[global]` sets it; not for a key that means something else elsewhere.
    public init(
        _ section: String, _ key: String, _ kind: ValueKind<Value>, default defaultValue: Value,
        otherPlaces: [SettingPlace] = [], inheritsGlobal: Bool = true
    ) {
        let place = SettingPlace(section, key)
        self.place = place
        declaration = SettingDeclaration(
            [place] + otherPlaces, kind, default: defaultValue, inheritsGlobal: inheritsGlobal)
        read = { kind.read($0, place.configKey) ?? defaultValue }
    }

    /// Declares a setting that may have no value.
    ///
    /// - Parameters:
    ///   - section: The section's name, with its sub-name when it has one: `worker:haproxy`.
    ///   - key: The key, in lower case and with `_` between words.
    ///   - kind: The values it takes.
    ///   - otherPlaces: Where it may stand too. In one layer the first place that has a value wins.
    ///   - inheritsGlobal: Whether the key in `[global]` sets it; not for a key that means something else elsewhere.
    public init<Wrapped: Sendable>(
        _ section: String, _ key: String, _ kind: ValueKind<Wrapped>,
        otherPlaces: [SettingPlace] = [], inheritsGlobal: Bool = true
    ) where Value == Wrapped? {
        let place = SettingPlace(section, key)
        self.place = place
        declaration = SettingDeclaration([place] + otherPlaces, kind, default: nil, inheritsGlobal: inheritsGlobal)
        read = { kind.read($0, place.configKey) }
    }
}

extension Setting: DeclaredSetting {
    /// The setting without its value's type, for the schema.
    public var erased: ErasedSetting { ErasedSetting(declaration: declaration) }
}

/// A setting whose value's type does not matter: what a ``SettingsSchema`` is made of.
public protocol DeclaredSetting: Sendable {
    /// The setting without its value's type.
    var erased: ErasedSetting { get }
}

/// A setting without its value's type.
public struct ErasedSetting: Sendable {
    let declaration: SettingDeclaration
}
