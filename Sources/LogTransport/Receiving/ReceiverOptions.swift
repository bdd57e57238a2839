public import ZeroMQ

/// Where a ``Receiver`` finds its senders, and how they deliver.
public struct ReceiverOptions: Sendable {
    /// How lines get from the sender to the receiver.
    public enum Delivery: String, Sendable, CaseIterable {
        /// PUSH to PULL: each line to one receiver, at most once.
        case push
        /// With acknowledgements: at least once, each line with an id that its repeats have, too (docs/wire.md).
        case reliable
    }

    /// The senders to connect to.
    public var connect: [Endpoint]
    /// Where senders connect to.
    public var bind: [Endpoint]
    /// How lines are delivered; the senders' has to be the same.
    public var delivery = Delivery.push
    /// Who the receiver is, and which senders it talks to; nil for connections without authentication and encryption.
    public var curve: Curve?
    /// A sender of a longer message is disconnected; in bytes.
    ///
    /// The default has room for a line of 16 MiB in JSON, which makes six bytes of one where they are control characters.
    public var maximumMessageSize = 128 << 20
    /// How long to wait before a lost or refused connection is tried again.
    public var reconnectInterval: Duration = .seconds(1)
    /// How long the last acknowledgements are kept for senders that do not take them at once.
    public var linger: Duration = .seconds(2)

    /// Connects to senders at `connect`, and takes those that connect to `bind`; together they are at least one.
    public init(connect: [Endpoint] = [], bind: [Endpoint] = []) {
        self.connect = connect
        self.bind = bind
    }
}
