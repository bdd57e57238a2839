public import CivilTime

/// Sends messages of one key to one or several brokers, and returns when they are durable.
///
/// ```swift
/// let producer = try Producer(routingKey: "Frontend.Customer.Signup", brokers: [folder, bucket])
/// let receipt = try await producer.send("hello")
/// ```
///
/// Many tasks may send at once: while one batch is on its way the next one gathers, so that a busy producer appends many
/// messages at a time and an idle one does not wait. Messages keep the order of the calls.
///
/// Each broker's outcome is its own. With several brokers, or ``ProducerOptions/Spooling/always``, messages for a broker
/// that is away wait in a spool on disk and reach it later, in order and before newer ones, also after a restart of the
/// process; a process that dies between storing what waited and noting it sends it again. `docs/muskrat-library.md` has the
/// details.
public final class Producer: Sendable {
    /// What the messages are about.
    public let key: RoutingKey
    private let engine: Engine

    /// Creates a producer; brokers need not be reachable.
    ///
    /// - Parameters:
    ///   - routingKey: What the messages are about, in any case.
    ///   - brokers: Where they go, at least one; they stay open when the producer is closed.
    ///   - options: How messages are gathered, and how long brokers are waited for.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    public init(
        routingKey: String, brokers: [any Broker], options: ProducerOptions = ProducerOptions()
    ) throws(MessageLogError) {
        key = try RoutingKey(routingKey)
        engine = try Engine(key, brokers, options)
    }

    /// Creates a producer for the brokers that a configuration names, or those that follow from it.
    ///
    /// - Parameters:
    ///   - routingKey: What the messages are about, in any case.
    ///   - configuration: Where messages go and how; by default into the folder ``MessageLogFolders/standard``.
    /// - Throws: ``MessageLogError``.
    public init(
        routingKey: String, configuration: MessageLogConfiguration = MessageLogConfiguration()
    ) throws(MessageLogError) {
        key = try RoutingKey(routingKey)
        engine = try Engine(key, configuration)
    }

    deinit { engine.abandon() }

    /// Sends a message, and returns when each broker has it, has it waiting in the spool, or refuses it.
    ///
    /// - Parameters:
    ///   - body: What it says, at most ``Message/maximumBody`` bytes.
    ///   - time: When it is sent.
    /// - Returns: What became of it at each broker.
    /// - Throws: ``MessageLogError`` when no broker took it: that of the first; `invalidArgument` for a body that is too
    ///   long; `closed`; `cancelled` when the task was cancelled, and the message may be stored all the same.
    @discardableResult
    public func send(_ body: some Collection<UInt8>, at time: UTCTime = .now) async throws(MessageLogError) -> Receipt {
        try await engine.add(body, at: time, isUrgent: !engine.options.batching.waits).receipt()
    }

    /// Sends text as UTF-8, as ``send(_:at:)-(Collection<UInt8>,_)`` does.
    @discardableResult
    public func send(_ text: String, at time: UTCTime = .now) async throws(MessageLogError) -> Receipt {
        try await send(text.utf8, at: time)
    }

    /// Sends a value as JSON, as ``send(_:at:)-(Collection<UInt8>,_)`` does.
    ///
    /// - Parameters:
    ///   - value: The value; dates in it are written with ``ProducerOptions/timeFormat``, keys of objects in order.
    ///   - time: When it is sent.
    /// - Returns: What became of it at each broker.
    /// - Throws: ``MessageLogError`` as well when the value cannot be encoded (`invalidArgument`).
    @discardableResult
    public func sendJSON(_ value: some Encodable, at time: UTCTime = .now) async throws(MessageLogError) -> Receipt {
        try await send(JSONBody.encode(value, dates: engine.options.timeFormat), at: time)
    }

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

    /// Ends it when it is known what became of all messages; what is in a spool stays there for the next producer.
    public func close() async { await engine.close() }
}
