/// TCP keepalive on the connections to job servers: how soon a host that vanished is noticed (tcp(7)).
public struct Keepalive: Hashable, Sendable {
    /// How many probes in a row go unanswered before the connection counts as lost; 1 to 127.
    public var count: Int
    /// How long a connection is silent before the first probe; whole seconds, 1 to 32767.
    public var idle: Duration
    /// The time between probes; whole seconds, 1 to 32767.
    public var interval: Duration

    /// Describes keepalive; by default a host that vanished is noticed within 90 seconds.
    public init(count: Int = 3, idle: Duration = .seconds(60), interval: Duration = .seconds(10)) {
        self.count = count
        self.idle = idle
        self.interval = interval
    }
}
