/// Calls `body` until it has a value, with short pauses; a process that is being replaced answers again in a moment.
///
/// Errors that cannot pass by themselves end the attempts at once.
func retrying<Value: Sendable>(
    within limit: Duration, _ complaint: @autoclosure () -> String,
    isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws(HAProxyError) -> Value?
) async throws(HAProxyError) -> Value {
    let deadline = Deadline(in: limit)
    var pause = Duration.milliseconds(1)
    var lastError: HAProxyError?
    while true {
        do throws(HAProxyError) {
            if let value = try await body() { return value }
            lastError = nil
        } catch let error where error.isRetriable {
            lastError = error
        }
        guard !deadline.hasPassed, !Task.isCancelled else {
            let reason = lastError.map { ": \($0.message)" } ?? ""
            throw HAProxyError(.timedOut, "\(complaint()) within \(limit)\(reason)", cause: lastError)
        }
        try? await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(20))
    }
}
