public import CivilTime

/// How the legacy layout is written and read: an object a message, named after the time (docs/message-log.md).
public struct LegacyOptions: Sendable {
    /// How the objects are named, in UTC; the old library's `s3_timestamp_format`.
    public var timestampFormat: TimeFormat
    /// For how long after the time in its name a message may turn up and still be delivered.
    ///
    /// It has to cover what a message needs to be stored, how far senders' clocks are behind the store's, and, where a
    /// sender of the old library names its messages after local time, by how much that is behind UTC. A consumer lists and
    /// remembers the names of that period.
    public var lookBack: Duration
    /// How many objects a consumer reads at the same time, 1 or more.
    public var readsInFlight: Int
    /// Whether messages are named after the time that they were first sent at, not after the time that they are written.
    ///
    /// That is for copying what is old into a key that nobody consumes yet: consumers that have got further than such a
    /// name skip the message.
    public var keepsTimes: Bool

    /// Describes how to write and read.
    public init(
        timestampFormat: TimeFormat = .standard, lookBack: Duration = .seconds(10), readsInFlight: Int = 20,
        keepsTimes: Bool = false
    ) {
        self.timestampFormat = timestampFormat
        self.lookBack = lookBack
        self.readsInFlight = readsInFlight
        self.keepsTimes = keepsTimes
    }

    /// The same in microseconds, as names count them.
    var lookBackMicroseconds: Int64 { Int64(lookBack / .microseconds(1)) }

    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    func check() throws(MessageLogError) {
        guard lookBack >= .zero, lookBack <= .seconds(7 * 86_400), readsInFlight >= 1 else {
            throw MessageLogError(
                .invalidArgument,
                "the legacy layout looks \(lookBack) back and reads \(readsInFlight) objects at a time: it may look back "
                    + "0 s to 7 days, and has to read 1 object or more")
        }
    }
}
