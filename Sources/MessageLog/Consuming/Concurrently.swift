/// Does the same with several values at the same time.
///
/// All are done, also when some fail.
///
/// - Parameters:
///   - values: The values.
///   - width: With how many at a time.
///   - body: What is done.
/// - Throws: The error of the first of the values that failed; before it, that a lease was lost.
func concurrently<Value: Sendable>(
    _ values: [Value], width: Int = 8, _ body: @escaping @Sendable (Value) async throws(MessageLogError) -> Void
) async throws(MessageLogError) {
    if values.count == 1, let value = values.first { return try await body(value) }
    let failures = await results(of: values, width: width, body).compactMap { result in
        if case .failure(let error) = result { error } else { nil }
    }
    if let failure = failures.gravest { throw failure }
}

extension [MessageLogError] {
    /// The one to go by: that a lease was lost before all others, since nothing that was read under it may be gone on with.
    var gravest: MessageLogError? { first { $0.code == .leaseLost } ?? first }
}

/// Does the same with several values at the same time, and tells what became of each, in their order.
func results<Value: Sendable, Answer: Sendable>(
    of values: some Collection<Value>, width: Int = 8,
    _ body: @escaping @Sendable (Value) async throws(MessageLogError) -> Answer
) async -> [Result<Answer, MessageLogError>] {
    typealias Numbered = (number: Int, result: Result<Answer, MessageLogError>)
    return await withTaskGroup(of: Numbered.self) { group in
        var waiting = values.enumerated().makeIterator()
        func start() -> Bool {
            guard let (number, value) = waiting.next() else { return false }
            group.addTask { (number, await outcome { () throws(MessageLogError) in try await body(value) }) }
            return true
        }
        for _ in 0..<width where !start() { break }
        var numbered: [Numbered] = []
        while let one = await group.next() {
            numbered.append(one)
            _ = start()
        }
        return numbered.sorted { $0.number < $1.number }.map(\.result)
    }
}

/// What becomes of a call: its value or its error, to be carried out of a task.
func outcome<Value>(
    _ body: () async throws(MessageLogError) -> Value
) async -> Result<Value, MessageLogError> {
    do throws(MessageLogError) {
        return .success(try await body())
    } catch {
        return .failure(error)
    }
}
