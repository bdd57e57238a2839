import Synchronization

/// Tells the thread that sends, when it waits for that, that messages have left.
final class SendSignal: Sendable {
    private let event: EventDescriptor
    private let isAwaited = Atomic(false)

    init() throws(LogTransportError) { event = try EventDescriptor() }

    /// What to wait on for input after ``arm()``.
    var descriptor: Int32 { event.number }

    /// Asks for the next ``notify()`` to make the descriptor readable; look then once more whether there is need to wait.
    func arm() { isAwaited.store(true, ordering: .sequentiallyConsistent) }

    /// Makes the descriptor readable if that was asked for.
    func notify() {
        guard isAwaited.load(ordering: .sequentiallyConsistent),
            isAwaited.exchange(false, ordering: .sequentiallyConsistent)
        else { return }
        event.set()
    }

    /// Makes the descriptor unreadable again.
    func clear() { event.clear() }
}
