import CivilTime
import Synchronization

/// Gives a writer's messages names, each behind the one before.
final class LegacyNamer: Sendable {
    private struct State {
        var last: UTCTime?
        /// By how much this host's clock is behind the store's, in microseconds; small differences are none.
        var lag: Int64 = 0
    }

    private let names: LegacyNames
    private let keepsTimes: Bool
    private let environment: LogEnvironment
    private let state = Mutex(State())

    init(_ names: LegacyNames, keepsTimes: Bool, environment: LogEnvironment) {
        self.names = names
        self.keepsTimes = keepsTimes
        self.environment = environment
    }

    /// Notes that the store's clock is so many microseconds ahead of the names.
    func add(_ lag: Int64) { state.withLock { $0.lag = max(0, $0.lag + lag) } }

    /// The earliest time that a message of that time can be named after now, in microseconds.
    func earliest(for time: UTCTime) -> Int64 {
        state.withLock { max(time.microseconds, $0.last.map { $0.microseconds + 1 } ?? .min) }
    }

    /// Has all later names be behind a time.
    func pass(_ time: UTCTime) { state.withLock { $0.last = max($0.last ?? time, time) } }

    /// A name that this writer has not used.
    ///
    /// - Parameters:
    ///   - message: Whose name it is to be.
    ///   - attempt: How many names turned out to be taken.
    ///   - isUnique: Whether the store keeps names from being used twice.
    /// - Returns: The name; `nil` where the one before is at the end of all times.
    func name(of message: MessageBatch.Element, attempt: Int, isUnique: Bool) -> String? {
        let step: Int64 = attempt < 2 ? 1 : 1 + Int64(environment.random() % (1 << UInt64(min(attempt, 10))))
        let now = environment.now().microseconds
        let next = state.withLock { state -> UTCTime? in
            let time = keepsTimes ? message.time.microseconds : now + state.lag
            let next = UTCTime(microseconds: state.last.map { max(time, $0.microseconds + step) } ?? time)
            guard next != state.last else { return nil }
            state.last = next
            return next
        }
        guard let next else { return nil }
        return isUnique
            ? names.name(of: next) : names.name(of: next, chance: UInt32(truncatingIfNeeded: environment.random()))
    }
}
