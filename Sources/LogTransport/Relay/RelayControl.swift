internal import Glibc
internal import Synchronization

/// How a running relay is asked to end, from any thread.
///
/// The first ``stop()`` lets the relay take in what its input holds at that moment and hand it on within the linger; the
/// second ends it at once. Both are as good before the relay runs as while it does.
public final class RelayControl: Sendable {
    /// Readable once the relay is to take in no more than its input holds.
    let stopping: EventDescriptor
    /// Readable once there is no more time at all.
    let ending: EventDescriptor
    private let asked = Atomic<Int>(0)
    private let onStop = Mutex<[@Sendable () -> Void]>([])

    /// Creates a control that nobody has used yet.
    ///
    /// - Throws: ``LogTransportError`` with ``LogTransportError/Code/systemError`` when the process has no descriptors left.
    public init() throws(LogTransportError) {
        stopping = try EventDescriptor()
        ending = try EventDescriptor()
    }

    /// Asks the relay to end; at once, if it was asked before.
    public func stop() {
        let before = asked.add(1, ordering: .sequentiallyConsistent).oldValue
        if before == 0 {
            stopping.set()
        } else {
            end()
        }
    }

    /// Ends the relay at once; what has not left is lost or stays in the spool.
    public func end() {
        asked.store(2, ordering: .sequentiallyConsistent)
        stopping.set()
        ending.set()
        for action in onStop.withLock({ $0 }) { action() }
    }

    /// Whether the relay was asked to end.
    public var isStopping: Bool { asked.load(ordering: .relaxed) > 0 }

    /// Whether the relay was asked to end at once.
    public var isEnding: Bool { asked.load(ordering: .relaxed) > 1 }

    /// Has an action done when the relay is to end at once, or now if that was asked for already.
    func whenEnding(_ action: @escaping @Sendable () -> Void) {
        onStop.withLock { $0.append(action) }
        if isEnding { action() }
    }
}
