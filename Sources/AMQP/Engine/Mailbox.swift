internal import DedicatedThread
internal import Synchronization

/// Something that the connection's thread is asked to do.
enum Command: Sendable {
    case perform(Request)
    case addPublisher(PublisherLink)
    case closePublisher(PublisherLink)
    case addConsumer(ConsumerLink)
    case cancelConsumer(ConsumerLink)
    case close
}

/// An operation and who waits for its outcome.
struct Request: Sendable {
    let operation: Operation
    let answer: FirstAnswer<Result<QueueStatus?, AMQPError>>
}

/// What other threads tell the connection's thread.
final class Mailbox: Sendable {
    private struct State {
        var commands: [Command] = []
        var isClosed = false
    }

    /// What the thread waits on.
    let wakeUp: WakeUp
    private let state = Mutex(State())

    init() throws(AMQPError) { wakeUp = try WakeUp() }

    /// Hands a command over.
    ///
    /// - Returns: Whether somebody will look at it.
    func post(_ command: Command) -> Bool {
        let isTaken = state.withLock { state in
            if state.isClosed { return false }
            state.commands.append(command)
            return true
        }
        if isTaken { wakeUp.signal() }
        return isTaken
    }

    /// The commands since the last call.
    func take() -> [Command] {
        wakeUp.arm()
        return state.withLock { state in
            defer { state.commands.removeAll() }
            return state.commands
        }
    }

    /// Takes no more; what it still had is returned.
    func close() -> [Command] {
        state.withLock { state in
            state.isClosed = true
            defer { state.commands.removeAll() }
            return state.commands
        }
    }
}
