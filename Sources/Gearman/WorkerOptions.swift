/// How a ``Worker`` keeps its connections.
public struct WorkerOptions: Hashable, Sendable {
    /// How many connections each job server always has; 1 to ``maximumConnections``.
    ///
    /// Each carries one job at a time.
    public var connections = 4

    /// How many connections each job server may have; up to 256.
    ///
    /// Whenever the last idle connection takes a job, one more is opened, so that a short job does not wait behind long
    /// ones; a job server whose worker has this many jobs in hand queues the rest.
    public var maximumConnections = 32

    /// How long a connection beyond ``connections`` may be idle before it is closed.
    public var spareLifetime: Duration = .seconds(10)

    /// The longest pause between two attempts to reach a job server.
    ///
    /// The pauses begin at one second and double, and each is shortened by up to a half at random, so that a fleet of
    /// workers does not come back all at once.
    public var reconnectSleep: Duration = .seconds(60)

    /// How long a job server has to accept a connection and to answer on it.
    public var connectTimeout: Duration = .seconds(5)

    /// TCP keepalive; `nil` leaves it as libgearman and the kernel have it (on, with the kernel's two hours).
    public var keepalive: Keepalive? = Keepalive()

    /// What this worker's connections are called in the job servers' lists of workers.
    ///
    /// 1 to 254 printable ASCII characters without spaces. It has to differ from every other worker's, for it is how a
    /// second worker of the same function is told from this one's own connections. The default holds the process id and
    /// a random number.
    public var identifier = "libra-\(processIdentifier())-\(String(UInt64.random(in: .min ... .max), radix: 16))"

    /// Options with the defaults named at each property.
    public init() {}
}
