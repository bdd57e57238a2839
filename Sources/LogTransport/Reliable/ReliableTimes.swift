/// How patient the two sides of the reliable protocol are; docs/wire.md.
package struct ReliableTimes: Sendable {
    /// How long a side says nothing at most, and how often it tries to begin a session.
    package var heartbeat = Duration.seconds(1)
    /// After how long without a message a side takes the other for gone.
    package var silence = Duration.seconds(5)
    /// How long a receiver may keep lines without acknowledging any of them.
    package var stall = Duration.seconds(60)

    /// The times of docs/wire.md.
    package init() {}
}
