/// Several consumers that run together, each with its own key and handler, at its own pace.
///
/// ```swift
/// try await ConsumerGroup([signups, payments]).follow()
/// ```
public struct ConsumerGroup: MessageConsumer {
    private let consumers: [any MessageConsumer]

    /// Puts consumers together.
    public init(_ consumers: [any MessageConsumer]) { self.consumers = consumers }

    /// Has every consumer handle what there is; see ``MessageConsumer/consume()``.
    ///
    /// When one fails the others are cancelled: what they have handled stays handled.
    @discardableResult
    public func consume() async throws(MessageLogError) -> ConsumerCounts {
        try await runAll { consumer throws(MessageLogError) in try await consumer.consume() }
    }

    /// Has every consumer handle what there is and what comes; see ``MessageConsumer/follow(interval:)``.
    ///
    /// When one fails the others are cancelled: what they have handled stays handled.
    @discardableResult
    public func follow(interval: Duration) async throws(MessageLogError) -> ConsumerCounts {
        try await runAll { consumer throws(MessageLogError) in try await consumer.follow(interval: interval) }
    }

    private func runAll(
        _ run: @escaping @Sendable (any MessageConsumer) async throws(MessageLogError) -> ConsumerCounts
    ) async throws(MessageLogError) -> ConsumerCounts {
        let result = await withTaskGroup(of: Result<ConsumerCounts, MessageLogError>.self) { group in
            for consumer in consumers {
                group.addTask { await outcome { () throws(MessageLogError) in try await run(consumer) } }
            }
            var counts = ConsumerCounts()
            var failure: MessageLogError?
            for await result in group {
                switch result {
                case .success(let more): counts += more
                case .failure(let error):
                    failure = failure ?? error
                    group.cancelAll()
                }
            }
            return failure.map(Result.failure) ?? .success(counts)
        }
        return try result.get()
    }
}
