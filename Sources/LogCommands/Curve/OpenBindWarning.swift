package import ZeroMQ

/// What is said at the start of a socket that others can reach and that asks nobody who they are.
package enum OpenBindWarning {
    /// The warning.
    ///
    /// - Parameters:
    ///   - endpoints: Where the socket binds.
    ///   - curve: Its part in CURVE.
    /// - Returns: One line; nil when there is no need of it.
    package static func text(_ endpoints: [Endpoint], curve: Curve?) -> String? {
        let open = endpoints.filter { !$0.isLoopback }
        guard curve == nil, !open.isEmpty else { return nil }
        let names = open.map(\.description).joined(separator: ", ")
        return "whoever reaches \(names) can connect there: use CURVE (--curve-key, --curve-allow), or bind to loopback"
    }
}
