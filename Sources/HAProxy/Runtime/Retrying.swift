/// Calls `body` until it has a value, with short pauses; a process that is being replaced answers again in a moment.
///
/// The pauses grow with the time that has passed, so that what is waited for is seen soon after it happened, measured by
/// how long it took. Errors that cannot pass by themselves end the attempts at once; a cancelled task goes on, since what
/// it waits for goes on too.
func retrying<Value: Sendable>(
    within limit: Duration, _ complaint: @autoclosure () -> String,
    isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws(HAProxyError) -> Value?
) async throws(HAProxyError) -> Value {
    let deadline = Deadline(in: limit)
    let start = ContinuousClock.now
    var lastError: HAProxyError?
    while true {
        do throws(HAProxyError) {
            if let value = try await body() { return value }
            lastError = nil
        } catch let error where error.isRetriable {
            lastError = error
        }
        guard !deadline.hasPassed else {
            let reason = lastError.map { ": \($0.message)" } ?? ""
            throw HAProxyError(.timedOut, "\(complaint()) within \(limit)\(reason)", cause: lastError)
        }
        let pause = min(max((ContinuousClock.now - start) / 32, .milliseconds(1)), .milliseconds(20))
        await Task { try? await Task.sleep(for: pause) }.value
    }
}
