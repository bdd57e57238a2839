internal import Logging

/// Tells the log of messages that were dropped for their damage: once a minute at most, however many a peer sends.
struct DamageLog {
    /// How long it says nothing after it said something.
    private static let pause = Duration.seconds(60)

    private let logger: Logger?
    private var lastWarning: ContinuousClock.Instant?
    /// Messages that were dropped and not told of yet.
    private var untold: UInt64 = 0

    init(_ logger: Logger?) { self.logger = logger }

    /// Takes in that a message was dropped.
    ///
    /// - Parameters:
    ///   - error: What is wrong with it.
    ///   - now: The time.
    mutating func note(_ error: LogTransportError, at now: ContinuousClock.Instant = .now) {
        untold += 1
        if let lastWarning, now - lastWarning < Self.pause { return }
        lastWarning = now
        logger?.warning("\(dropped): \(error)")
        untold = 0
    }

    /// Tells of those that were not told of yet.
    mutating func finish() {
        guard untold > 0 else { return }
        logger?.warning("\(dropped) since the last warning")
        untold = 0
    }

    private var dropped: String {
        untold == 1 ? "1 damaged message was dropped" : "\(untold) damaged messages were dropped"
    }
}
