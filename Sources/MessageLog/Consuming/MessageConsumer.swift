/// Handles messages in their order, each at least once: a ``Consumer``, an ``AggregateConsumer``, or a ``ConsumerGroup``.
public protocol MessageConsumer: Sendable {
    /// Handles what there is, and returns when there is nothing more.
    ///
    /// What comes meanwhile is handled too. It waits as long as another consumer of the same name reads.
    ///
    /// - Returns: What was done.
    /// - Throws: ``MessageLogError``: `invalidArgument` for a key, a name or options that cannot be used; `handlerFailed`
    ///   when the handler fails with a message at every attempt and no dead-letter key is set: the cursor stays before
    ///   that message; `cancelled` when the task is cancelled; what the broker throws.
    @discardableResult
    func consume() async throws(MessageLogError) -> ConsumerCounts

    /// Handles what there is and then what comes, until the task is cancelled.
    ///
    /// A store or broker that cannot be reached is tried again and reported, and so is another consumer's taking over. A
    /// task that is cancelled lets the handler return first, and moves the cursor behind what was handled.
    ///
    /// - Parameter interval: How often to look for more at most, where nobody tells when there is; above zero.
    /// - Returns: What was done, once the task is cancelled.
    /// - Throws: ``MessageLogError``, for the reasons that ``consume()`` has but for those named above.
    @discardableResult
    func follow(interval: Duration) async throws(MessageLogError) -> ConsumerCounts
}

extension MessageConsumer {
    /// Handles what there is and then what comes, looking for more four times a second; see ``follow(interval:)``.
    @discardableResult
    public func follow() async throws(MessageLogError) -> ConsumerCounts {
        try await follow(interval: .milliseconds(250))
    }
}
