/// The metadata keys of this module's log messages.
enum LogKey {
    static let server = "gearman-server"
    static let function = "gearman-function"
    static let connection = "gearman-connection"
    static let job = "gearman-job"
    static let address = "gearman-peer"
    static let identifier = "gearman-identifier"
    static let error = "error"
    static let retryIn = "retry-in"
}
