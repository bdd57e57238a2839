internal import AMQP
internal import ZeroMQ

extension LogBroadcastError {
    /// A broker's failure as one of the broadcast.
    init(_ error: AMQPError) {
        switch error.code {
        case .invalidArgument: self.init(.invalidArgument, error.message)
        case .closed, .cancelled: self.init(.closed, error.message)
        case .accessRefused, .virtualHostRefused, .tlsFailed:
            self.init(.refused, error.message, cause: error.cause)
        case .channelClosed where error.replyCode == 403 || error.replyCode == 406:
            self.init(.refused, error.message, cause: error.cause)
        default: self.init(.unavailable, error.message, cause: error.cause)
        }
    }
}

extension LogBroadcastError {
    /// A socket's failure as one of the broadcast.
    init(_ error: ZeroMQError) {
        switch error.code {
        case .invalidArgument: self.init(.invalidArgument, error.message, cause: error.cause)
        case .addressInUse, .unavailable: self.init(.unavailable, error.message, cause: error.cause)
        case .terminated: self.init(.closed, error.message, cause: error.cause)
        default: self.init(.systemError, error.message, cause: error.cause)
        }
    }
}
