/// Lets calls of one actor run one after the other, also where they suspend; it belongs to that actor.
final class Turns {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Runs a closure when those that came before have ended.
    func run<Value>(
        _ body: () async throws(MessageLogError) -> Value
    ) async throws(MessageLogError) -> Value {
        if isTaken {
            await withCheckedContinuation { waiting.append($0) }
        } else {
            isTaken = true
        }
        // Whoever ends hands the turn to the next one, so that none that comes later gets in between.
        defer { if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() } }
        return try await body()
    }
}
