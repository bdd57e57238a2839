/// How a connection is kept.
public struct ConnectionOptions: Sendable {
    /// What the broker's management shows as the connection's name; at most 255 bytes are sent.
    public var name: String
    /// How often each side says that it is alive, in whole seconds from 1 to 65535; zero for never.
    ///
    /// A peer that was not heard for twice as long is dead. The broker may ask for less. The URI's `heartbeat` goes
    /// before it.
    public var heartbeat: Duration
    /// How long connecting, TLS and logging in may take together, 1 ms to 10 minutes.
    ///
    /// The URI's `connection_timeout` goes before it.
    public var connectTimeout: Duration
    /// The shortest pause between attempts to connect, at least 1 ms.
    ///
    /// Pauses double, and chance shortens each by up to a half.
    public var minimumPause: Duration
    /// The longest pause between attempts to connect.
    public var maximumPause: Duration
    /// What is declared at once whenever the connection is made.
    public var topology: Topology

    /// Describes a connection; the defaults suit a daemon.
    public init(
        name: String = "", heartbeat: Duration = .seconds(20), connectTimeout: Duration = .seconds(10),
        minimumPause: Duration = .milliseconds(250), maximumPause: Duration = .seconds(15),
        topology: Topology = Topology()
    ) {
        self.name = name
        self.heartbeat = heartbeat
        self.connectTimeout = connectTimeout
        self.minimumPause = minimumPause
        self.maximumPause = maximumPause
        self.topology = topology
    }

    func check() throws(AMQPError) {
        guard heartbeat == .zero || (.seconds(1) ... .seconds(65_535)).contains(heartbeat) else {
            throw AMQPError(.invalidArgument, "heartbeat \(heartbeat) is not zero, nor from 1 to 65535 seconds")
        }
        guard (.milliseconds(1) ... .seconds(600)).contains(connectTimeout) else {
            throw AMQPError(.invalidArgument, "connect timeout \(connectTimeout) is not from 1 ms to 10 minutes")
        }
        guard minimumPause >= .milliseconds(1), maximumPause >= minimumPause, maximumPause <= .seconds(86_400) else {
            throw AMQPError(
                .invalidArgument, "pauses from \(minimumPause) to \(maximumPause) are not from 1 ms to a day")
        }
    }
}
