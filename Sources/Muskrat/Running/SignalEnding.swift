internal import Glibc
internal import UnixSignals

/// Runs what a command does, until it is done or a signal asks it to end.
///
/// SIGTERM and SIGINT cancel the task of `body` once; what it has in hand it brings to its end. A second one ends the
/// process at once, with the code that a shell gives a command that a signal ended.
///
/// - Parameters:
///   - abandon: What to do at once before the process ends by a second signal, whose number it is given.
///   - body: What to do; that it was cancelled is no failure.
/// - Returns: What `body` does.
/// - Throws: What `body` does.
func untilSignalled<Value: Sendable>(
    abandoning abandon: @escaping @Sendable (Int32) -> Void = { _ in },
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    let work = Task { try await body() }
    let watch = Task {
        var isAsked = false
        for await signal in signals {
            if isAsked {
                abandon(signal.number)
                _exit(128 + signal.number)
            }
            isAsked = true
            work.cancel()
        }
    }
    defer { watch.cancel() }
    return try await work.value
}

extension UnixSignal {
    fileprivate var number: Int32 { self == .sigint ? SIGINT : SIGTERM }
}
