import Configuration

/// A section and a key: where a setting stands in the file, and which variable of the environment holds it.
public struct SettingPlace: Sendable, Hashable, CustomStringConvertible {
    /// The section's name: `worker`, `worker:haproxy`.
    public let section: String
    /// The key: `reconnect_sleep`.
    public let key: String

    /// Names a place.
    ///
    /// - Parameters:
    ///   - section: The section's name, with its sub-name when it has one.
    ///   - key: The key, in lower case and with `_` between words.
    public init(_ section: String, _ key: String) {
        self.section = section
        self.key = key
    }

    /// As the file has it: `[worker] user`.
    public var description: String { "[\(section)] \(key)" }

    /// The variable of the environment: `LIBRA_WORKER_HAPROXY_SERVICE`.
    public var variable: String {
        let name = "\(section)_\(key)".uppercased()
        return "LIBRA_" + String(name.map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }

    /// The key under which swift-configuration knows it: `worker.haproxy.service`.
    var configKey: ConfigKey { ConfigKey(section.split(separator: ":").map(String.init) + [key]) }

    /// The place of the key that names a file with this one's value.
    var fileKey: SettingPlace { SettingPlace(section, key + "_file") }
}
