internal import AMQP

extension MessageLogError {
    /// What RabbitMQ's refusal means to whoever uses a message log on it.
    ///
    /// - Parameters:
    ///   - error: What happened.
    ///   - what: What could not be done.
    init(_ error: AMQPError, _ what: String) {
        self.init(Self.code(of: error), what, cause: error)
    }

    private static func code(of error: AMQPError) -> Code {
        switch error.code {
        case .invalidArgument: .invalidArgument
        case .notConnected, .connectionLost, .closedByBroker, .timedOut: .unreachable
        case .accessRefused, .virtualHostRefused, .tlsFailed: .denied
        case .unroutable: .notFound
        case .messageRefused: .full
        case .closed: .closed
        case .cancelled: .cancelled
        case .channelClosed where error.replyCode == 403: .denied
        case .channelClosed where error.replyCode == 404: .notFound
        case .channelClosed where error.isRetriable: .unreachable
        case .consumerCancelled: .notFound
        default: .systemError
        }
    }
}

extension Connection {
    /// Waits for the connection, as long as an attempt or two take.
    ///
    /// - Throws: ``MessageLogError`` with the code `unreachable`, `denied`, `closed` or `cancelled`.
    func ready(_ broker: String) async throws(MessageLogError) {
        if state.isUp { return }
        do throws(AMQPError) {
            try await waitUntilReady(within: .seconds(5))
        } catch {
            throw MessageLogError(error, "cannot reach \(broker)")
        }
    }
}
