/// What has been handled since the cursor was moved: the last message of each key.
struct HandledMessages {
    private var last: [RoutingKey: Message] = [:]
    /// When the first of them was about to be handled.
    var since = Duration.zero

    var isEmpty: Bool { last.isEmpty }

    /// One message a key, through which its cursor is to be moved.
    var messages: [Message] { Array(last.values) }

    /// Adds messages, in the order in which they were handled.
    mutating func append(_ handled: ArraySlice<Message>) {
        // The keys seldom change from one to the next, and comparing is cheaper than looking up.
        for index in handled.indices {
            let next = index + 1
            if next < handled.endIndex, handled[next].key == handled[index].key { continue }
            last[handled[index].key] = handled[index]
        }
    }

    /// Forgets all: the cursor has been moved, or is not this reader's any more.
    mutating func removeAll() { last.removeAll(keepingCapacity: true) }
}
