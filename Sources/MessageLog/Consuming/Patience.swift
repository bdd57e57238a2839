import Logging

/// What one who reads for long does about a store or broker that cannot be reached: report it, and try again.
struct Patience {
    private let clock: ConsumerClock
    private let logger: Logger
    private var failures = 0
    private var backoff = Self.pauses
    private static let pauses = Backoff(.milliseconds(100) ... .seconds(10))

    init(clock: ConsumerClock, logger: Logger) {
        self.clock = clock
        self.logger = logger
    }

    /// Reports a failure, and waits before the next attempt: 0.1 s at first, later up to 10 s, less up to a half.
    ///
    /// - Throws: ``MessageLogError`` with the code `cancelled`.
    mutating func wait(after error: MessageLogError) async throws(MessageLogError) {
        failures += 1
        let pause = backoff.next()
        logger.warning(
            "reading or moving the cursor failed; trying again",
            metadata: [LogKey.error: "\(error)", LogKey.retryIn: "\(pause)"])
        try await clock.pause(pause)
    }

    /// It works, or works again.
    mutating func reset() {
        if failures > 0 {
            logger.notice("the broker is back", metadata: [LogKey.attempts: "\(failures)"])
            (failures, backoff) = (0, Self.pauses)
        }
    }
}
