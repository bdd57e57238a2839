import DedicatedThread
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

    /// Asks a ``NamedNode`` behind the connection for its name.
    ///
    /// - Returns: The name; nil when the connection has ended.
    public func askForName() async -> String? {
        await DedicatedThread(name: "client").run { [descriptor] in name(askedOver: descriptor) }
    }

    /// Ends the connection; it is called once.
    public func close() { _ = Glibc.close(descriptor) }
}
