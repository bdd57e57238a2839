/// The messages that a reader has given and that are not yet handled.
struct MessageQueue {
    private(set) var messages: [Message] = []
    /// The first that is not handled.
    private(set) var position = 0
    /// How many bytes the bodies have of those that are not handled; counted only where lists are made of them.
    private var bytes = 0

    var isEmpty: Bool { position == messages.count }

    /// Puts messages behind those that are there.
    mutating func append(_ more: [Message], countsBytes: Bool) {
        if isEmpty {
            messages = more
        } else {
            messages.removeFirst(position)
            messages += more
        }
        position = 0
        if countsBytes { bytes += more.reduce(0) { $0 + $1.body.count } }
    }

    /// Whether a list could be longer if there was more.
    func hasRoom(within limits: ListLimits) -> Bool {
        messages.count - position < limits.count && bytes < limits.bytes
    }

    /// The next messages, as many as a list may have.
    func list(within limits: ListLimits) -> ArraySlice<Message> {
        var end = position
        var size = 0
        while end < messages.count, end - position < limits.count {
            size += messages[end].body.count
            if size > limits.bytes, end > position { break }
            end += 1
        }
        return messages[position..<end]
    }

    /// Takes the next messages away.
    mutating func removeFirst(_ count: Int, countsBytes: Bool) -> ArraySlice<Message> {
        let first = messages[position..<position + count]
        position += count
        if countsBytes { bytes -= first.reduce(0) { $0 + $1.body.count } }
        // What has been handled is not to be kept in memory until there is more.
        if isEmpty { (messages, position) = ([], 0) }
        return first
    }
}
