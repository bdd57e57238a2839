/// How many messages a consumer has the broker send ahead of their acknowledgement, so that they are not more than so many
/// bytes.
///
/// Brokers count messages and not bytes: RabbitMQ refuses a prefetch size. So the count begins with one and grows while
/// what came says that more of it fits. When more than the limit is here all the same, because messages became longer, it
/// is one again.
struct PrefetchWindow {
    private let most: Int
    private let limit: Int
    /// How many messages the broker is to send ahead now.
    private(set) var count = 1
    /// The messages that came since the count changed, or were looked at last.
    private var arrived = 0
    /// The longest of them.
    private var longest = 0
    /// The lengths of the messages that are not answered, by delivery tag.
    private var open: [UInt64: Int] = [:]
    private var oldest: UInt64 = 1
    /// How many bytes the messages have that are not answered.
    private(set) var openBytes = 0

    /// Begins with one message.
    ///
    /// - Parameters:
    ///   - most: The largest count.
    ///   - limit: How many bytes the messages may have that are not answered.
    init(most: Int, limit: Int) {
        self.most = most
        self.limit = limit
    }

    /// A message begins to come.
    mutating func arrive(_ tag: UInt64, bytes: Int) {
        open[tag] = bytes
        openBytes += bytes
        arrived += 1
        longest = max(longest, bytes)
    }

    /// The broker is told that it need not care for a message any more, or for all up to that one.
    mutating func settle(_ tag: UInt64, through isMultiple: Bool) {
        guard isMultiple else {
            openBytes -= open.removeValue(forKey: tag) ?? 0
            return
        }
        while oldest <= tag {
            openBytes -= open.removeValue(forKey: oldest) ?? 0
            oldest += 1
        }
    }

    /// Decides on another count.
    ///
    /// - Returns: The count to ask the broker for from now on; nil when it need not change.
    mutating func change() -> Int? {
        guard openBytes <= limit else { return count > 1 ? set(1) : nil }
        guard count < most, arrived >= count, openBytes <= limit / 2 else { return nil }
        let next = min(limit / max(longest, 1), count * 8, most)
        if next > count { return set(next) }
        (arrived, longest) = (0, 0)
        return nil
    }

    private mutating func set(_ count: Int) -> Int {
        self.count = count
        (arrived, longest) = (0, 0)
        return count
    }
}
