/// What a connection is doing.
public enum ConnectionState: Sendable {
    /// It connects, logs in, and declares again what was declared.
    case connecting
    /// It works.
    case connected
    /// It works, but the broker takes no messages for now (`connection.blocked`), for instance because its memory or
    /// disk is full; publishers wait.
    case blocked(reason: String)
    /// It failed, and tries again after a pause.
    case waiting(AMQPError, retryIn: Duration)
    /// It was closed by this side and will not come back.
    case closed

    /// Whether the broker can be asked.
    public var isUp: Bool {
        switch self {
        case .connected, .blocked: true
        case .connecting, .waiting, .closed: false
        }
    }
}

extension ConnectionState: CustomStringConvertible {
    /// A short text for people.
    public var description: String {
        switch self {
        case .connecting: "connecting"
        case .connected: "connected"
        case .blocked(let reason): "blocked: \(reason)"
        case .waiting(let error, let pause): "waiting \(pause): \(error)"
        case .closed: "closed"
        }
    }
}
