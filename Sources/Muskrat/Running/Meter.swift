internal import CommandKit
internal import Synchronization

/// Counts messages, and shows their number and rate while they travel.
final class Meter: Sendable {
    private struct State {
        var count = 0
        var leftOut = 0
        var rate = 0
        var countBefore = 0
        var second = ContinuousClock.now
    }

    private let state = Mutex(State())
    private let line: ProgressLine?

    init(_ reporting: ReportingArguments) {
        line = reporting.progress ? ProgressLine() : nil
    }

    /// How many messages there were.
    var count: Int { state.withLock { $0.count } }

    /// How many messages were left out.
    var leftOut: Int { state.withLock { $0.leftOut } }

    /// Counts messages that are left out.
    func leaveOut(_ count: Int) { state.withLock { $0.leftOut += count } }

    /// Counts messages.
    func add(_ count: Int) {
        let (total, rate) = state.withLock { state in
            state.count += count
            let time = state.second.duration(to: .now)
            if time >= .seconds(1) {
                state.rate = Int(Double(state.count - state.countBefore) / (time / .seconds(1)))
                (state.countBefore, state.second) = (state.count, .now)
            }
            return (state.count, state.rate)
        }
        line?.update("\(counted(total)), \(rate) a second")
    }

    /// Takes the line from the terminal.
    func clear() { line?.clear() }
}

/// A number of messages, or of something else, in words.
func counted(_ count: some BinaryInteger, _ noun: String = "message") -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
}
