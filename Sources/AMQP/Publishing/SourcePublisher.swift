/// A publisher that takes its messages from a ``MessageSource``.
public final class SourcePublisher: Sendable {
    private let link: PublisherLink
    private let mailbox: Mailbox

    init(link: PublisherLink, mailbox: Mailbox) {
        self.link = link
        self.mailbox = mailbox
    }

    /// Says that the source has something to publish.
    ///
    /// Cheap, and from any thread: a system call when the connection's thread sleeps, an atomic exchange when it does
    /// not.
    public func wake() { link.wake() }

    /// Gives the channel back; what is not confirmed yet is reported as lost.
    public func close() { _ = mailbox.post(.closePublisher(link)) }
}
