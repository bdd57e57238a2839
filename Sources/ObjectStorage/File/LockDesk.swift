internal import DedicatedThread
import Glibc
import Synchronization

/// Those of this process who wait for locks.
///
/// flock(2) cannot be waited for together with anything else, and ends early only by a signal. So a thread for each key
/// waits in it, and hands the lock to the first of those who still want it then; cancelling a wait just leaves the line.
final class LockDesk: Sendable {
    enum Answer: Sendable {
        case locked(Int32)
        case fault(FileFault)
        case cancelled
        case closed
    }

    private struct State {
        /// Those who wait, by key; for each there is a thread, also where nobody waits any more.
        var lines: [ObjectKey: [FirstAnswer<Answer>]] = [:]
        var isClosed = false
    }

    private let tree: FileTree
    private let state = Mutex(State())

    init(_ tree: FileTree) { self.tree = tree }

    /// Gets into the line of a key.
    func wait(for key: ObjectKey, _ answer: FirstAnswer<Answer>) {
        let isFirst = state.withLock { state in
            if state.isClosed {
                answer.offer(.closed)
                return false
            }
            defer { state.lines[key, default: []].append(answer) }
            return state.lines[key] == nil
        }
        if isFirst { DedicatedThread(name: "file-lock").start { self.serve(key) } }
    }

    /// Gets out of it, unless the lock has just been handed over.
    func cancel(_ key: ObjectKey, _ answer: FirstAnswer<Answer>) {
        answer.offer(.cancelled)
        state.withLock { $0.lines[key]?.removeAll { $0 === answer } }
    }

    /// Tells all who wait that the store is closed.
    func close() {
        let all = state.withLock { state in
            state.isClosed = true
            defer { for key in state.lines.keys { state.lines[key] = [] } }
            return state.lines.values.joined()
        }
        for answer in all { answer.offer(.closed) }
    }

    /// Takes the lock of a key for one after the other, until nobody waits for it.
    private func serve(_ key: ObjectKey) {
        repeat {
            do throws(FileFault) {
                guard let descriptor = try tree.lock(key, waits: true) else { continue }
                if !answerFirst(key, .locked(descriptor)) { Glibc.close(descriptor) }
            } catch {
                while answerFirst(key, .fault(error)) {}
            }
        } while isWaitedFor(key)
    }

    private func answerFirst(_ key: ObjectKey, _ answer: Answer) -> Bool {
        state.withLock { state in
            while let first = state.lines[key]?.first {
                state.lines[key]?.removeFirst()
                if first.offer(answer) { return true }
            }
            return false
        }
    }

    /// Whether the thread of a key has to go on.
    private func isWaitedFor(_ key: ObjectKey) -> Bool {
        state.withLock { state in
            guard state.lines[key]?.isEmpty == false else {
                state.lines[key] = nil
                return false
            }
            return true
        }
    }
}
