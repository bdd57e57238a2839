import CivilTime

/// How far a consumer is in the legacy layout, where a name may turn up behind others that have been handled already.
///
/// There is a name up to which all is done; of the messages behind it, the names of those that have been handled are kept.
/// So a message that turns up late is delivered, and one that was named after a time to come keeps nobody back. That name
/// moves only over what was listed when it was older than the look-back, by the store's clock.
struct LegacyProgress: Sendable {
    /// All up to this name has been handled, or has come too late; empty at the beginning.
    private(set) var floor: String
    /// The names behind it that have been handled.
    private(set) var handled: Set<String>
    /// The names that have been handed out and not yet been handled, in the order of their being handed out.
    private var pending: [String] = []
    private var isPending: Set<String> = []
    /// The messages that have been listed and not yet been handed out.
    private(set) var listed: [LegacyFolder.Entry] = []

    /// The name behind which the listing goes on; `nil` when it begins anew.
    private var position: String?
    /// The name up to which nothing can turn up any more that is not too late.
    private var settled: String
    /// Whether the listing has come to names that are younger than the look-back.
    private var hasReachedPresent = false
    /// The latest time that is known of the store's clock.
    private var storeTime: UTCTime?

    init(floor: String = "", handled: Set<String> = []) {
        self.floor = floor
        settled = floor
        self.handled = handled.filter { $0 > floor }
    }

    /// The name behind which to list.
    var next: String { position ?? settled }

    /// Takes in a page that was listed behind ``next``.
    ///
    /// - Parameters:
    ///   - page: The page.
    ///   - names: How names are made.
    ///   - lookBack: How late a message may turn up, in microseconds.
    /// - Returns: Whether it was the last page: the next one begins anew.
    mutating func add(_ page: LegacyFolder.Page, names: LegacyNames, lookBack: Int64) -> Bool {
        if position == nil { hasReachedPresent = false }
        if let modified = page.modified { storeTime = max(storeTime ?? modified, modified) }
        listed += page.entries.filter { !handled.contains($0.name) && !isPending.contains($0.name) }
        if !hasReachedPresent, let storeTime {
            let present = names.name(of: UTCTime(microseconds: storeTime.microseconds - lookBack))
            if let end = page.end, end < present {
                settled = max(settled, end)
            } else {
                settled = max(settled, present)
                hasReachedPresent = true
            }
        }
        position = page.end
        return page.end == nil
    }

    /// Hands out the first of what has been listed, but for those that are not there any more.
    mutating func handOut(_ count: Int, without gone: Set<String>) {
        for entry in listed.prefix(count) where !gone.contains(entry.name) {
            pending.append(entry.name)
            isPending.insert(entry.name)
        }
        listed.removeFirst(count)
    }

    /// Notes that a message has been handled, and all that were handed out before it.
    ///
    /// - Returns: Whether that changes anything.
    mutating func commit(through name: String) -> Bool {
        guard isPending.contains(name), let index = pending.firstIndex(of: name) else { return false }
        for name in pending[...index] {
            handled.insert(name)
            isPending.remove(name)
        }
        pending.removeSubrange(...index)
        raiseFloor()
        return true
    }

    /// Forgets what has been handed out and not been handled.
    mutating func rewind() {
        pending = []
        isPending = []
        listed = []
        position = nil
        settled = floor
    }

    /// Moves the floor to the last name that has been handled, is settled, and has nothing before it that waits.
    private mutating func raiseFloor() {
        let waiting = [isPending.min(), listed.first?.name].compactMap { $0 }.min()
        let top = handled.filter { name in name <= settled && waiting.map { name < $0 } ?? true }.max()
        guard let top else { return }
        floor = max(floor, top)
        handled = handled.filter { $0 > floor }
    }
}
