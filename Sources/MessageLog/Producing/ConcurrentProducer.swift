public import CivilTime

/// Sends many messages of one key without waiting for each.
///
/// ```swift
/// let producer = try ConcurrentProducer(routingKey: "Frontend.Clicks", brokers: [bucket])
/// for line in lines { try await producer.enqueue(line) }
/// try await producer.flush()
/// ```
///
/// Messages gather for ``ProducerOptions/Batching/interval``, or until a batch is full, and go in the order of the calls.
/// At most ``ProducerOptions/bufferBytes`` of them wait in memory; then ``enqueue(_:at:)-(Collection<UInt8>,_)`` waits, too.
/// What becomes of them is told by ``flush()``, by a handle for each, or to a closure for each batch. Brokers that are
/// away are treated as by ``Producer``.
public final class ConcurrentProducer: Sendable {
    /// What the messages are about.
    public let key: RoutingKey
    private let engine: Engine

    /// Creates a producer; brokers need not be reachable.
    ///
    /// - Parameters:
    ///   - routingKey: What the messages are about, in any case.
    ///   - brokers: Where they go, at least one; they stay open when the producer is closed.
    ///   - maxInFlight: ``ProducerOptions/maxInFlight``, in place of that of the options.
    ///   - options: How messages are gathered, and how long brokers are waited for.
    ///   - report: Called for each batch, in order, when it is known what became of it; it must not block.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    public init(
        routingKey: String, brokers: [any Broker], maxInFlight: Int? = nil,
        options: ProducerOptions = ProducerOptions(), report: (@Sendable (BatchReport) -> Void)? = nil
    ) throws(MessageLogError) {
        key = try RoutingKey(routingKey)
        var options = options
        options.maxInFlight = maxInFlight ?? options.maxInFlight
        engine = try Engine(key, brokers, options, report: report)
    }

    /// Creates a producer for the brokers that a configuration names, or those that follow from it.
    ///
    /// - Parameters:
    ///   - routingKey: What the messages are about, in any case.
    ///   - configuration: Where messages go and how; by default into the folder ``MessageLogFolders/standard``.
    ///   - report: Called for each batch, in order, when it is known what became of it; it must not block.
    /// - Throws: ``MessageLogError``.
    public init(
        routingKey: String, configuration: MessageLogConfiguration = MessageLogConfiguration(),
        report: (@Sendable (BatchReport) -> Void)? = nil
    ) throws(MessageLogError) {
        key = try RoutingKey(routingKey)
        engine = try Engine(key, configuration, report: report)
    }

    deinit { engine.abandon() }

    /// Takes a message; waits only while there is no room for it.
    ///
    /// - Parameters:
    ///   - body: What it says, at most ``Message/maximumBody`` bytes.
    ///   - time: When it is sent.
    /// - Returns: A handle by which to learn what became of it; it may be thrown away.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument` for a body that is too long, `closed`, or `cancelled`
    ///   when the task was cancelled while there was no room.
    @discardableResult
    public func enqueue(
        _ body: some Collection<UInt8>, at time: UTCTime = .now
    ) async throws(MessageLogError) -> SentMessage {
        try await engine.add(body, at: time, isUrgent: false)
    }

    /// Takes text as UTF-8, as ``enqueue(_:at:)-(Collection<UInt8>,_)`` does.
    @discardableResult
    public func enqueue(_ text: String, at time: UTCTime = .now) async throws(MessageLogError) -> SentMessage {
        try await enqueue(text.utf8, at: time)
    }

    /// Takes a value as JSON; see ``Producer/sendJSON(_:at:)``.
    @discardableResult
    public func enqueueJSON(
        _ value: some Encodable, at time: UTCTime = .now
    ) async throws(MessageLogError) -> SentMessage {
        try await enqueue(JSONBody.encode(value, dates: engine.options.timeFormat), at: time)
    }

    /// Takes a message if there is room, and never waits: for code that is not asynchronous, and for the fastest.
    ///
    /// - Parameters:
    ///   - body: What it says, at most ``Message/maximumBody`` bytes; it is copied.
    ///   - time: When it is sent.
    /// - Returns: A handle by which to learn what became of it; `nil` when there is no room, and it was not taken:
    ///   ``waitForRoom()`` waits for some.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument` or `closed`.
    public func offer(_ body: UnsafeRawBufferPointer, at time: UTCTime = .now) throws(MessageLogError) -> SentMessage? {
        try engine.gatherer.add(body, at: time, isUrgent: false)
    }

    /// Takes messages that were gathered elsewhere, as a batch of their own, if there is room.
    ///
    /// - Returns: A handle for the last of them; `nil` when there is no room.
    /// - Throws: ``MessageLogError`` with the code `closed`, or `invalidArgument` for an empty batch.
    public func offer(_ batch: MessageBatch) throws(MessageLogError) -> SentMessage? {
        try engine.gatherer.add(batch)
    }

    /// Waits until there may be room.
    ///
    /// - Throws: ``MessageLogError`` with the code `cancelled`.
    public func waitForRoom() async throws(MessageLogError) { try await engine.gatherer.waitForRoom() }

    /// Lets what is gathered go at once, and waits until it is known what became of all messages that were taken before.
    ///
    /// - Throws: ``MessageLogError`` of the first message since the last flush that no broker took; `cancelled`.
    public func flush() async throws(MessageLogError) { try await engine.flush() }

    /// How many messages were taken, those included of which it is not known yet what becomes of them.
    public var taken: UInt64 { engine.gatherer.taken }

    /// What became of messages at each broker so far.
    public var counts: [BrokerCounts] {
        get async { await engine.counts() }
    }

    /// Waits until nothing waits in a spool any more.
    ///
    /// - Returns: Whether that is so; `false` when the time is up.
    public func catchUp(within limit: Duration) async -> Bool { await engine.catchUp(within: limit) }

    /// Takes no more messages, and ends when it is known what became of those that were taken.
    ///
    /// Call ``flush()`` before, to hear of messages that no broker took.
    public func close() async { await engine.close() }
}
