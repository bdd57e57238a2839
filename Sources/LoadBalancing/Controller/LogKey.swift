/// The metadata keys of the controller's log lines.
enum LogKey {
    static let action = "action"
    static let response = "response"
    static let milliseconds = "milliseconds"
    static let error = "error"
    static let message = "message"
    static let bytes = "bytes"
}
