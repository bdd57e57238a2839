internal import Synchronization

/// Which keys there were when reading a pattern began.
///
/// Where reading begins is said for these; of keys that come into being later, all has been sent since. A reader that takes
/// the place of one that lost its lease has to know them as well, lest it begin at the end of a key that is new.
final class FirstLook: Sendable {
    private let keys = Mutex<Set<RoutingKey>?>(nil)

    /// The keys that there were first: these, when nobody has looked before.
    func found(_ keys: [RoutingKey]) -> Set<RoutingKey> {
        self.keys.withLock { known in
            let first = known ?? Set(keys)
            known = first
            return first
        }
    }
}
