import Logging
import Synchronization

@testable import MessageLog

/// A clock that goes on when somebody waits for it, and when it is told to.
final class ScriptedClock: Sendable {
    private let state = Mutex((now: Duration.zero, pauses: [Duration]()))

    /// The pauses that were waited for.
    var pauses: [Duration] { state.withLock { $0.pauses } }

    func advance(_ duration: Duration) { state.withLock { $0.now += duration } }

    var consumerClock: ConsumerClock {
        ConsumerClock(
            now: { self.state.withLock { $0.now } },
            sleep: { duration in
                try Task.checkCancellation()
                self.state.withLock { state in
                    state.now += duration
                    state.pauses.append(duration)
                }
                await Task.yield()
            })
    }
}

/// What handlers have got, in order.
final class Notebook: Sendable {
    private let notes = Mutex<[String]>([])

    var all: [String] { notes.withLock { $0 } }
    func note(_ text: String) { notes.withLock { $0.append(text) } }
}

extension Logger {
    /// One that says nothing.
    static let quiet = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
}

/// A failure that a handler throws.
struct HandlerFault: Error {}
