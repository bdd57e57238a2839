import Glibc
import Synchronization

/// What a broadcast says of its own troubles: a line on standard error, at most one a minute and one at the end, never into
/// the broadcast; or whoever the program has named is told.
final class Troubles: Sendable {
    static let pause = Duration.seconds(60)

    private let program: String
    private let listener: (@Sendable (String) -> Void)?
    private let state = Mutex(State())

    private struct State {
        var lastSaid: ContinuousClock.Instant?
        var unsaid = 0
    }

    init(of options: BroadcastOptions) {
        program = options.program
        listener = options.onTrouble
    }

    /// Says it, or counts it when something was said less than a minute ago.
    ///
    /// - Parameters:
    ///   - trouble: A sentence without its full stop.
    ///   - isLast: Whether it is the last that will be said: it is not counted for later.
    ///   - now: The time.
    func say(_ trouble: String, isLast: Bool = false, at now: ContinuousClock.Instant = .now) {
        let line: String? = state.withLock { state in
            if !isLast, let last = state.lastSaid, last.duration(to: now) < Self.pause {
                state.unsaid += 1
                return nil
            }
            let more = state.unsaid > 0 ? " (and \(state.unsaid) more like it since)" : ""
            state = State(lastSaid: now)
            return oneLine(trouble) + more
        }
        guard let line else { return }
        if let listener { return listener(line) }
        let bytes = Array("\(program): log broadcast: \(line)\n".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}

/// The text without what could begin another line.
private func oneLine(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 })
}
