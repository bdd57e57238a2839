/// The name of a frontend or a backend.
public struct ProxyName: Hashable, Sendable, CustomStringConvertible {
    let text: String

    /// Checks a name.
    ///
    /// - Parameter text: 1 to 255 letters, digits, `-`, `_`, `.` and `:`, as in section 2.1 of the Configuration Manual.
    /// - Throws: ``HAProxyError`` with the code `invalidValue`.
    public init(_ text: String) throws(HAProxyError) {
        try ByteClass.name.check(text, as: "the name of a proxy", upTo: 255)
        self.text = text
    }

    /// The name as it is written.
    public var description: String { text }
}

/// The name of a server, unique in its backend.
public struct ServerName: Hashable, Sendable, CustomStringConvertible {
    let text: String

    /// Checks a name.
    ///
    /// - Parameter text: 1 to 255 letters, digits, `-`, `_`, `.` and `:`.
    /// - Throws: ``HAProxyError`` with the code `invalidValue`.
    public init(_ text: String) throws(HAProxyError) {
        try ByteClass.name.check(text, as: "the name of a server", upTo: 255)
        self.text = text
    }

    /// The name as it is written.
    public var description: String { text }
}
