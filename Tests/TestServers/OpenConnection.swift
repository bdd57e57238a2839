import Glibc

/// A TCP connection to a loopback port that stays open until it is told to close.
public final class OpenConnection: Sendable {
    private let descriptor: Int32

    /// Connects.
    ///
    /// - Throws: ``TestServerError`` when nobody listens there.
    public init(port: Int) throws {
        descriptor = connectToLoopback(port: port)
        guard descriptor >= 0 else { throw TestServerError("nobody listens at \(port)") }
    }

    /// Ends the connection; it is called once.
    public func close() { _ = Glibc.close(descriptor) }
}
