package import CivilTime
import Glibc

/// Time and chance, as a log sees them; tests put their own in their place.
package struct LogEnvironment: Sendable {
    /// The time by this host's clock, which may be wrong and may step.
    package var now: @Sendable () -> UTCTime
    /// The time since the system's start, suspension included; it never steps.
    package var elapsed: @Sendable () -> Duration
    /// Waits; throws when the task is cancelled.
    package var sleep: @Sendable (Duration) async throws -> Void
    /// A random number.
    package var random: @Sendable () -> UInt64
    /// This process and its host, for people: `process 4711 on lb-1`.
    package var who: String
    /// Where tasks run that nobody waits for; `nil` for Swift's own pool.
    package var executor: (any TaskExecutor)?

    /// Puts an environment together.
    package init(
        now: @escaping @Sendable () -> UTCTime, elapsed: @escaping @Sendable () -> Duration,
        sleep: @escaping @Sendable (Duration) async throws -> Void, random: @escaping @Sendable () -> UInt64,
        who: String = Self.thisProcess, executor: (any TaskExecutor)?
    ) {
        self.now = now
        self.elapsed = elapsed
        self.sleep = sleep
        self.random = random
        self.who = who
        self.executor = executor
    }

    /// The system's.
    package static var system: LogEnvironment {
        LogEnvironment(
            now: { .now },
            elapsed: {
                var time = timespec()
                clock_gettime(CLOCK_BOOTTIME, &time)
                return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
            },
            sleep: { try await Task.sleep(for: $0) },
            random: { .random(in: .min ... .max) },
            executor: nil)
    }

    package static var thisProcess: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "process \(getpid())" }
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "process \(getpid()) on \(host)"
    }

    /// A random part of a wait, so that those who failed together do not try again together.
    func jittered(_ limit: Duration) -> Duration {
        .microseconds(Int64(random() % UInt64(max(1, limit / .microseconds(1)))))
    }

    /// Waits; throws `cancelled` when the task is cancelled.
    func wait(_ duration: Duration) async throws(MessageLogError) {
        do {
            try await sleep(duration)
        } catch {
            throw MessageLogError(.cancelled, "the task that waited was cancelled")
        }
    }
}
