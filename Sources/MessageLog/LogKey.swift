/// The names of what log messages carry.
enum LogKey {
    static let attempts = "attempts"
    static let broker = "broker"
    static let consumer = "consumer"
    static let deadLetters = "dead-letters"
    static let error = "error"
    static let holder = "holder"
    static let key = "key"
    static let position = "position"
    static let retryIn = "retry-in"
}
