public import CivilTime

/// Where messages are kept: a log on an object store, the legacy layout on one, or RabbitMQ.
public protocol Broker: Sendable, CustomStringConvertible {
    /// Makes a way to append messages of one key.
    ///
    /// It does not wait for the broker to be reached.
    ///
    /// - Throws: ``MessageLogError``.
    func makeWriter(for key: RoutingKey) async throws(MessageLogError) -> any MessageWriter

    /// Makes a way to append messages of one key, of which several may be on their way at once.
    ///
    /// That matters only to brokers that store each message by itself, as the legacy layout does; the others do as
    /// ``makeWriter(for:)``.
    ///
    /// - Parameters:
    ///   - key: What the messages are about.
    ///   - maxInFlight: How many messages of a batch may be on their way at once, at least 1.
    /// - Returns: The writer.
    /// - Throws: ``MessageLogError``.
    func makeWriter(for key: RoutingKey, maxInFlight: Int) async throws(MessageLogError) -> any MessageWriter

    /// Makes a way to read what keys that match have, on behalf of a consumer.
    ///
    /// - Throws: ``MessageLogError``.
    func makeReader(
        of pattern: RoutingPattern, for consumer: ConsumerName, options: ReaderOptions
    ) async throws(MessageLogError) -> any MessageReader

    /// The keys that there are and that match, in order.
    ///
    /// - Throws: ``MessageLogError``; `unsupported` where the broker does not tell, as RabbitMQ.
    func keys(matching pattern: RoutingPattern) async throws(MessageLogError) -> [RoutingKey]

    /// Lets go of connections; writers and readers are to be closed before.
    func close() async
}

extension Broker {
    /// Makes a writer as ``makeWriter(for:)`` does.
    public func makeWriter(
        for key: RoutingKey, maxInFlight: Int
    ) async throws(MessageLogError) -> any MessageWriter {
        try await makeWriter(for: key)
    }
}

/// Appends messages of one key to a broker.
public protocol MessageWriter: Sendable {
    /// Appends messages, and returns when they are durable.
    ///
    /// Batches are appended in the order of the calls, one after the other.
    ///
    /// - Parameter batch: At least one message.
    /// - Returns: Where the messages stand, in order, as far as the broker tells.
    /// - Throws: ``MessageLogError``. With a retriable one none of the messages, or an unknown part of them, is there
    ///   (`ambiguous`); calling again with the same batch is right in both cases. A caller may give up instead, by
    ///   cancelling its task or after such an error, and go on with another batch.
    @discardableResult
    func append(_ batch: MessageBatch) async throws(MessageLogError) -> AppendReceipt

    /// Ends it; what was appended stays.
    func close() async
}

/// Where appended messages stand.
public struct AppendReceipt: Sendable, Hashable {
    /// Where the first stands; `nil` where the broker does not tell.
    public let first: Position?
    /// Where the last stands; `nil` where the broker does not tell.
    public let last: Position?

    /// Describes a place.
    public init(first: Position?, last: Position?) {
        self.first = first
        self.last = last
    }
}

/// Reads messages from a broker on behalf of a consumer, in order, at least once.
public protocol MessageReader: Sendable {
    /// Takes the consumer's lease if no other consumer of its name has it, without waiting for that one.
    ///
    /// On a store it takes several calls, 10 s apart in all, to find that the one that has it is gone.
    ///
    /// - Returns: Whether this reader has the lease, so that ``next()`` does not wait for it.
    /// - Throws: ``MessageLogError``.
    func takeLease() async throws(MessageLogError) -> Bool

    /// Who has the lease, in words for people, as far as the broker knew when ``takeLease()`` was last called; `nil` where
    /// it does not tell.
    func leaseHolder() async -> String?

    /// The next messages; empty when there are none now.
    ///
    /// The first call takes the consumer's lease, and waits as long as another consumer of the same name has it.
    ///
    /// - Throws: ``MessageLogError``; `corrupt` names the segment, and ``ReaderOptions/skipsCorrupt`` goes on behind it;
    ///   `expired` when what the cursor points to is gone.
    func next() async throws(MessageLogError) -> [Message]

    /// Waits until there may be more, at most as long as given.
    ///
    /// - Throws: ``MessageLogError`` with the code `cancelled` or `closed`.
    func waitForMore(atMost limit: Duration) async throws(MessageLogError)

    /// Moves the consumer's cursor behind a message: it and those of its key before it have been handled.
    ///
    /// When it returns, that is durable.
    ///
    /// - Throws: ``MessageLogError``; `leaseLost` when another consumer of the name has taken over.
    func commit(through message: Message) async throws(MessageLogError)

    /// Goes back: what is not committed is handed out again.
    func rewind() async throws(MessageLogError)

    /// Gives the lease back, and ends.
    func close() async
}

extension MessageReader {
    /// Nothing to take.
    public func takeLease() async throws(MessageLogError) -> Bool { true }

    /// Nobody tells.
    public func leaseHolder() async -> String? { nil }
}

/// How a reader reads.
public struct ReaderOptions: Sendable {
    /// Where a consumer begins, or is set to.
    public enum Start: Sendable, Hashable {
        /// With the oldest message that there is.
        case beginning
        /// Behind the newest.
        case end
        /// With the message of this number.
        case sequence(UInt64)
        /// With the first message that was sent then or later.
        case time(UTCTime)
    }

    /// Where a consumer begins that has no cursor yet.
    public var start: Start
    /// Whether that holds even when there is a cursor.
    public var ignoresCursor: Bool
    /// The cursor's name; `nil` for the consumer's own.
    public var cursor: String?
    /// The folder that cursors are kept in; `nil` for the store itself.
    public var cursorFolder: String?
    /// Whether segments that are corrupt are skipped, and reported.
    public var skipsCorrupt: Bool
    /// About how many bytes of messages ``MessageReader/next()`` gives at a time, at least one message.
    public var batchBytes: Int
    /// Which keys there were when reading a pattern began; readers that replace one another share it.
    var firstLook: FirstLook?
    /// Who goes on without those keys of a pattern that cannot be read, and is told of them; `nil` where the first of them
    /// ends the reading when the others have nothing more.
    var reportFault: (@Sendable (RoutingKey, MessageLogError) -> Void)?

    /// Describes a reader.
    public init(
        start: Start = .beginning, ignoresCursor: Bool = false, cursor: String? = nil, cursorFolder: String? = nil,
        skipsCorrupt: Bool = false, batchBytes: Int = 4 << 20
    ) {
        self.start = start
        self.ignoresCursor = ignoresCursor
        self.cursor = cursor
        self.cursorFolder = cursorFolder
        self.skipsCorrupt = skipsCorrupt
        self.batchBytes = batchBytes
    }
}
