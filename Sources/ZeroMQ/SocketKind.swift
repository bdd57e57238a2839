import CZeroMQ

/// What a socket does with its messages (zmq_socket(3)).
public enum SocketKind: Sendable, Hashable {
    /// Hands each message to one of its PULL peers, in turn over those that have room.
    case push
    /// Takes messages from all its PUSH peers, in turn.
    case pull
    /// Exchanges messages with ROUTER or DEALER peers, in turn over those that have room.
    case dealer
    /// Exchanges messages with peers that a first frame names.
    case router
    /// Hands each message to all SUB peers that want it; drops those that a peer has no room for.
    case publish
    /// As ``publish``; what its peers subscribe to, and when the last of them no longer does, can be received
    /// (zmq_socket(3), `ZMQ_XPUB`): a message is a byte, 1 or 0, and the prefix.
    case extendedPublish
    /// Takes the messages of PUB peers that it subscribed to.
    case subscribe
    /// Exchanges messages with one other PAIR socket.
    case pair

    var number: Int32 {
        switch self {
        case .push: ZMQ_PUSH
        case .pull: ZMQ_PULL
        case .dealer: ZMQ_DEALER
        case .router: ZMQ_ROUTER
        case .publish: ZMQ_PUB
        case .extendedPublish: ZMQ_XPUB
        case .subscribe: ZMQ_SUB
        case .pair: ZMQ_PAIR
        }
    }
}
