internal import Synchronization

/// How a running relay is asked to end, from any thread.
///
/// The first ``stop()`` lets the relay take in what its input holds at that moment and hand it on within the linger; the
/// second ends it at once. Both are as good before the relay runs as while it does.
public final class RelayControl: Sendable {
    /// Set once the relay is to take in no more than its input holds.
    let stopping: Flag
    /// Set once there is no more time at all.
    let ending: Flag
    /// The controls of the relay's threads, which are told as well.
    private let followers = Mutex<[RelayControl]>([])

    /// Creates a control that nobody has used yet.
    ///
    /// - Throws: ``LogTransportError`` with code `systemError` when the process has no descriptors left.
    public init() throws(LogTransportError) {
        stopping = try Flag()
        ending = try Flag()
    }

    /// Asks the relay to end; at once, if it was asked before.
    public func stop() {
        let isFirst = followers.withLock { followers in
            guard !stopping.isSet else { return false }
            stopping.set()
            for follower in followers { follower.stop() }
            return true
        }
        if !isFirst { end() }
    }

    /// Ends the relay at once; what has not left is lost or stays in the spool.
    public func end() {
        followers.withLock { followers in
            stopping.set()
            ending.set()
            for follower in followers { follower.end() }
        }
    }

    /// Whether the relay was asked to end.
    public var isStopping: Bool { stopping.isSet }

    /// Whether the relay was asked to end at once.
    public var isEnding: Bool { ending.isSet }

    /// A control for one of the relay's threads: what this one is told, it is told too.
    func follower() throws(LogTransportError) -> RelayControl {
        let follower = try RelayControl()
        followers.withLock { followers in
            followers.append(follower)
            if stopping.isSet { follower.stopping.set() }
            if ending.isSet { follower.ending.set() }
        }
        return follower
    }
}
