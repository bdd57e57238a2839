import DedicatedThread

/// Carries replies from the thread that receives them to the task that reads them, a few at a time.
///
/// The thread blocks while the reader has not taken enough, so that memory stays bounded however large replies are; the
/// job server keeps what is not read.
final class ReplyChannel: Sendable {
    private struct State {
        var replies: [JobReply] = []
        var isFinished = false
        var isAbandoned = false
        var reader: CheckedContinuation<JobReply?, Never>?
    }
    /// How many replies wait for the reader at most.
    private static let capacity = 64
    private let state = ThreadMonitor(State())

    /// Hands a reply on, blocking this thread while there is no room.
    ///
    /// - Returns: `false` when nobody reads any more.
    func send(_ reply: JobReply) -> Bool {
        let (isWanted, reader) = state.wait { state -> Looked<(Bool, CheckedContinuation<JobReply?, Never>?)> in
            if state.isAbandoned { return .value((false, nil)) }
            if let reader = state.reader {
                state.reader = nil
                return .value((true, reader))
            }
            guard state.replies.count < Self.capacity else { return .wait(until: nil) }
            state.replies.append(reply)
            return .value((true, nil))
        }
        reader?.resume(returning: reply)
        return isWanted
    }

    /// Lets the reader come to an end after what waits for it.
    func finish() {
        let reader = state.update { state in
            state.isFinished = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    /// Lets the thread know that nobody reads any more.
    func abandon() {
        let reader = state.update { state in
            state.isAbandoned = true
            state.replies = []
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    /// The next reply; `nil` after the last, and after a cancellation.
    func next() async -> JobReply? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.update { state -> JobReply?? in
                    if !state.replies.isEmpty { return state.replies.removeFirst() }
                    if state.isFinished || state.isAbandoned { return .some(nil) }
                    state.reader = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            abandon()
        }
    }
}
