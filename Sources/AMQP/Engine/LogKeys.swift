/// The metadata keys of this module's log messages.
enum LogKey {
    static let broker = "amqp-broker"
    static let queue = "amqp-queue"
    static let dropped = "amqp-dropped"
    static let reason = "reason"
    static let error = "error"
    static let retryIn = "retry-in"
}
