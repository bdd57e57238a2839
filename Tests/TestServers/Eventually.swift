/// Looks at a condition again and again until it holds, or the time is up.
///
/// - Parameters:
///   - limit: How long to go on looking; by default long enough for a machine with much else to do.
///   - what: What is waited for, for the error.
///   - isolation: The caller's, so that the condition may use what the caller may.
///   - condition: The condition; what it throws counts as "not yet".
/// - Throws: ``TestServerError`` when the condition did not hold in time.
public func eventually(
    within limit: Duration = .seconds(30), _ what: String = "the condition",
    isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    var lastError: (any Error)?
    while true {
        // A machine that stood still until the time was up gets another look all the same.
        let isLast = clock.now >= deadline
        do {
            if try await condition() { return }
            lastError = nil
        } catch {
            lastError = error
        }
        if isLast { break }
        try await Task.sleep(for: .milliseconds(5))
    }
    throw TestServerError("\(what) did not hold within \(limit)\(lastError.map { ": \($0)" } ?? "")")
}
