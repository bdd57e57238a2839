internal import ArgumentParser
internal import CommandKit
internal import MessageLog
internal import ObjectStorage

/// Which exit code a failure of the message log means.
extension CommandError {
    /// A failure of a broker, a cursor or a consumer.
    init(_ error: MessageLogError) {
        let code: ExitCode =
            switch error.code {
            // A bucket that is not there, or is in another region.
            case .notFound where error.isOfStore, .invalidArgument where error.isOfStore: .configuration
            case .denied: .configuration
            // Trying again does not help, and a later program does.
            case .laterVersion: .configuration
            // A store that keeps no order.
            case .unsupported where error.isOfStore: .configuration
            case .invalidArgument, .unsupported: .usage
            case .unreachable, .ambiguous: .unavailable
            case .full, .systemError: .inputOutput
            default: .failure
            }
        self.init(code, "\(error)", cause: error)
    }
}

extension MessageLogError {
    /// Whether it comes from an object store.
    fileprivate var isOfStore: Bool {
        cause is ObjectStoreError || (cause as? MessageLogError)?.isOfStore == true
    }
}

/// Calls the message log for a command.
///
/// - Throws: `CommandError` with the exit code that the failure means.
func forCommand<Value>(
    _ body: () async throws(MessageLogError) -> Value
) async throws(CommandError) -> Value {
    do throws(MessageLogError) {
        return try await body()
    } catch {
        throw CommandError(error)
    }
}

/// What becomes of a call: its value or its error, to be carried out of a task.
func caught<Value>(
    _ body: () async throws(MessageLogError) -> Value
) async -> Result<Value, MessageLogError> {
    do throws(MessageLogError) {
        return .success(try await body())
    } catch {
        return .failure(error)
    }
}

/// Reads what stands on the command line.
///
/// - Throws: `CommandError` with exit code 64.
func forArguments<Value>(_ body: () throws(MessageLogError) -> Value) throws(CommandError) -> Value {
    do throws(MessageLogError) {
        return try body()
    } catch {
        throw CommandError(.usage, error.description, cause: error)
    }
}
