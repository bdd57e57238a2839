internal import Logging
internal import ZeroMQ

/// Tells the log what happens to connections: each failure once, until a peer is there again.
struct ConnectionLog {
    private let logger: Logger
    private var told: Set<SocketEvent> = []

    init(_ logger: Logger) { self.logger = logger }

    mutating func note(_ event: SocketEvent) {
        switch event.kind {
        case .handshakeFailed, .acceptFailed:
            guard told.count < 1000, told.insert(event).inserted else { return }
            logger.warning("\(event)")
        case .handshakeSucceeded, .disconnected:
            told = told.filter { $0.endpoint != event.endpoint }
            logger.debug("\(event)")
        case .connected, .accepted, .stopped:
            break
        }
    }
}
