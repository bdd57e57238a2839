import CivilTime
import DedicatedThread
import Synchronization
import TestServers

@testable import MessageLog

/// Time that goes on as soon as nothing is left to be done, and one thread on which everything happens in an order that
/// follows from a seed.
///
/// Of the jobs that could run the next one is drawn, so that different seeds see different interleavings.
final class SimulatedTime: TaskExecutor {
    private struct State {
        var random: SplitMix64
        var jobs: [UnownedJob] = []
        var now = Duration.zero
        var timers: [UInt64: (due: Duration, continuation: CheckedContinuation<Void, Never>)] = [:]
        var timerCount: UInt64 = 0
        var isDone = false
    }

    private let state: Mutex<State>
    private let thread = DedicatedThread(name: "simulation")
    /// What a wall clock that is right shows at the beginning.
    private static let epoch = UTCTime(microseconds: 1_800_000_000_000_000)

    init(seed: UInt64) { state = Mutex(State(random: SplitMix64(state: seed))) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    /// The time since the beginning.
    var elapsed: Duration { state.withLock(\.now) }

    /// What a wall clock that is right shows.
    var wall: UTCTime { Self.epoch.advanced(by: elapsed) }

    /// A number below a bound.
    func draw(_ bound: Int) -> Int { state.withLock { Int.random(in: 0..<bound, using: &$0.random) } }

    /// Whether something happens that does so once in so many times.
    func chance(_ oneIn: Int) -> Bool { oneIn > 0 && draw(oneIn) == 0 }

    /// A time up to a bound.
    func draw(_ bound: Duration) -> Duration { .microseconds(draw(max(1, Int(bound / .microseconds(1))))) }

    func sleep(_ duration: Duration) async throws {
        let number = state.withLock { state in
            state.timerCount += 1
            return state.timerCount
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isLate = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.timers[number] = (state.now + duration, continuation)
                    return false
                }
                if isLate { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.timers.removeValue(forKey: number) }?.continuation.resume()
        }
        try Task.checkCancellation()
    }

    /// Lets something happen in a task of its own.
    func spawn(_ body: @escaping @Sendable () async -> Void) { Task(executorPreference: self) { await body() } }

    /// Runs a body, and all that it sets off, until it returns.
    func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task(executorPreference: self) {
            defer { self.state.withLock { $0.isDone = true } }
            try await body()
        }
        guard await thread.run({ self.pump() }) else { throw Stuck() }
        try await task.value
    }

    /// Nothing can go on, and what was to be done is not.
    struct Stuck: Error {}

    private func pump() -> Bool {
        while true {
            let job: UnownedJob? = state.withLock { state in
                guard !state.jobs.isEmpty else { return nil }
                return state.jobs.remove(at: Int.random(in: 0..<state.jobs.count, using: &state.random))
            }
            if let job {
                job.runSynchronously(on: asUnownedTaskExecutor())
                continue
            }
            if state.withLock(\.isDone) { return true }
            let next: CheckedContinuation<Void, Never>? = state.withLock { state in
                guard let (number, timer) = state.timers.min(by: { ($0.value.due, $0.key) < ($1.value.due, $1.key) })
                else { return nil }
                state.timers[number] = nil
                state.now = max(state.now, timer.due)
                return timer.continuation
            }
            guard let next else { return false }
            next.resume()
        }
    }

    /// What a log sees, with a wall clock of its own that steps by up to a day either way now and then.
    func environment(clockSteps: Bool) -> LogEnvironment {
        let box = Box()
        return LogEnvironment(
            now: {
                if clockSteps, self.chance(20) {
                    box.value.withLock { $0 = .seconds(self.draw(2 * 86_400) - 86_400) }
                }
                return self.wall.advanced(by: box.value.withLock { $0 })
            },
            elapsed: { self.elapsed },
            sleep: { try await self.sleep($0) },
            random: { self.state.withLock { $0.random.next() } },
            executor: self)
    }

    private final class Box: Sendable {
        let value = Mutex(Duration.zero)
    }
}
