internal import Synchronization

/// Something that has happened or not, for one thread to wait on and another to tell.
final class Flag: Sendable {
    private let event: EventDescriptor
    private let state = Atomic<Bool>(false)

    init() throws(LogTransportError) { event = try EventDescriptor() }

    /// Readable once it has happened.
    var descriptor: Int32 { event.number }

    /// Whether it has happened.
    var isSet: Bool { state.load(ordering: .acquiring) }

    /// Says that it has happened; more than once makes no difference.
    func set() {
        guard !state.exchange(true, ordering: .releasing) else { return }
        event.set()
    }
}
