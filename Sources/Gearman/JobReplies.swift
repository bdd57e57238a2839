/// The replies to ``Client/submitAll(_:timeout:)``, each as soon as it comes, in no particular order.
///
/// There is one for each request. They can be read once. Leaving the loop early, or cancelling its task, gives up
/// the rest.
public struct JobReplies: AsyncSequence, Sendable {
    /// Gives the rest up when the last reference to the sequence and its iterator is gone.
    private final class Owner: Sendable {
        let channel: ReplyChannel
        init(channel: ReplyChannel) { self.channel = channel }
        deinit { channel.abandon() }
    }
    private let owner: Owner

    init(channel: ReplyChannel) { owner = Owner(channel: channel) }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(next: { [owner] in await owner.channel.next() }) }

    /// Reads the replies.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let next: () async -> JobReply?

        /// The next reply; `nil` after the last one.
        public mutating func next() async -> JobReply? { await next() }
    }
}
