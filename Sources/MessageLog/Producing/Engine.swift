internal import CivilTime
internal import Synchronization

/// What producers have in common: messages are gathered, and each batch goes to all brokers at once, one batch after the
/// other.
///
/// It runs until ``close()``, or ``abandon()`` by a producer that is let go of.
final class Engine: Sendable {
    let key: RoutingKey
    let options: ProducerOptions
    let gatherer: Gatherer
    private let lanes: [Lane]
    private let report: (@Sendable (BatchReport) -> Void)?
    private let running = Mutex<Task<Void, Never>?>(nil)
    /// Why messages since the last flush reached no broker.
    private let failure = Mutex<MessageLogError?>(nil)

    /// An engine with brokers of its own, which it closes at its end.
    convenience init(
        _ key: RoutingKey, _ configuration: MessageLogConfiguration, report: (@Sendable (BatchReport) -> Void)? = nil
    ) throws(MessageLogError) {
        try configuration.producing.check()
        try self.init(
            key, try configuration.openBrokers(), configuration.producing, ownsBrokers: true, report: report)
    }

    init(
        _ key: RoutingKey, _ brokers: [any Broker], _ options: ProducerOptions, ownsBrokers: Bool = false,
        report: (@Sendable (BatchReport) -> Void)? = nil
    ) throws(MessageLogError) {
        try options.check()
        guard !brokers.isEmpty else {
            throw MessageLogError(.invalidArgument, "a producer of \(key) has no broker: name one at least")
        }
        self.key = key
        self.options = options
        self.report = report
        gatherer = Gatherer(options.batching, bufferBytes: options.bufferBytes)
        let isSpooled =
            switch options.spooling {
            case .several: brokers.count > 1
            case .always: true
            case .never: false
            }
        lanes = brokers.map { Lane($0, key: key, options: options, isSpooled: isSpooled) }
        running.withLock { running in
            running = Task {
                await run()
                if ownsBrokers { for broker in brokers { await broker.close() } }
            }
        }
    }

    /// Takes a message, when there is room for it.
    func add(
        _ body: some Collection<UInt8>, at time: UTCTime, isUrgent: Bool
    ) async throws(MessageLogError) -> SentMessage {
        while true {
            let sent: Result<SentMessage?, MessageLogError>? = body.withContiguousStorageIfAvailable { bytes in
                gatherer.attempt(UnsafeRawBufferPointer(bytes), at: time, isUrgent: isUrgent)
            }
            guard let sent else { return try await add(Array(body), at: time, isUrgent: isUrgent) }
            if let sent = try sent.get() { return sent }
            try await gatherer.waitForRoom()
        }
    }

    private func run() async {
        for lane in lanes { await lane.open() }
        while let batch = await gatherer.next() {
            let settled = BatchFate.Settled(
                count: batch.messages.count, brokers: lanes.map(\.name), outcomes: await deliver(batch.messages))
            gatherer.release(batch.messages.records.count)
            note(settled, of: batch)
            batch.fate.settle(settled)
        }
        for lane in lanes { await lane.close() }
    }

    private func deliver(_ messages: MessageBatch) async -> [BatchOutcome] {
        if lanes.count == 1 { return [await lanes[0].deliver(messages)] }
        return await withTaskGroup(of: (Int, BatchOutcome).self) { group in
            for (index, lane) in lanes.enumerated() {
                group.addTask { (index, await lane.deliver(messages)) }
            }
            var outcomes: [Int: BatchOutcome] = [:]
            for await (index, outcome) in group { outcomes[index] = outcome }
            return lanes.indices.compactMap { outcomes[$0] }
        }
    }

    private func note(_ settled: BatchFate.Settled, of batch: Gatherer.Gathered) {
        let refusals = settled.outcomes.compactMap { if case .refused(let error) = $0 { error } else { nil } }
        if refusals.count == lanes.count { failure.withLock { $0 = $0 ?? refusals.first } }
        report?(BatchReport(first: batch.fate.first, settled: settled))
    }

    /// Waits until it is known what became of all that was sent before.
    ///
    /// - Throws: ``MessageLogError`` of the first message since the last flush that reached no broker.
    func flush() async throws(MessageLogError) {
        gatherer.hurry()
        if let newest = gatherer.newest { _ = try await newest.settled() }
        let error = failure.withLock { $0.take() }
        if let error { throw error }
    }

    /// What became of messages at each broker.
    func counts() async -> [BrokerCounts] {
        var counts: [BrokerCounts] = []
        for lane in lanes { counts.append(await lane.status()) }
        return counts
    }

    /// Waits until no broker is behind.
    ///
    /// - Returns: Whether that is so; `false` when the time is up.
    func catchUp(within limit: Duration) async -> Bool {
        let deadline = ContinuousClock.now + limit
        for lane in lanes where !(await lane.waitUntilCaughtUp(until: deadline)) { return false }
        return true
    }

    /// Takes no more messages, waits until it is known what became of those that were taken, and ends.
    func close() async {
        gatherer.close()
        await running.withLock { $0 }?.value
    }

    /// The same without waiting.
    func abandon() { gatherer.close() }
}

/// What became of messages that went together.
public struct BatchReport: Sendable {
    /// The numbers of the messages; see ``SentMessage/number``.
    public let numbers: ClosedRange<UInt64>
    private let settled: BatchFate.Settled

    init(first: UInt64, settled: BatchFate.Settled) {
        numbers = first...(first + UInt64(settled.count) - 1)
        self.settled = settled
    }

    /// What became of one of the messages.
    ///
    /// - Parameter number: One of ``numbers``.
    /// - Returns: What became of it; `nil` for another number.
    public func receipt(of number: UInt64) -> Receipt? {
        numbers.contains(number) ? settled.receipt(of: Int(number - numbers.lowerBound)) : nil
    }

    /// Whether each broker has the messages, or will have them.
    public var isComplete: Bool { settled.receipt(of: 0).isComplete }
}
