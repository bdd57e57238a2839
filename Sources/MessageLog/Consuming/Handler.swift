/// What is done with messages.
enum Handler: Sendable {
    /// One after the other, without waiting for anything: the fast one.
    case each(@Sendable (Message) throws -> Void)
    /// One after the other.
    case eachAsync(@Sendable (Message) async throws -> Void)
    /// Many at a time.
    case lists(ListLimits, @Sendable ([Message]) async throws -> Void)

    /// Deals with messages: with one, unless it takes lists.
    func callAsFunction(_ messages: [Message]) async throws {
        switch self {
        case .each(let body): for message in messages { try body(message) }
        case .eachAsync(let body): for message in messages { try await body(message) }
        case .lists(_, let body): try await body(messages)
        }
    }
}

/// How long a list is at most.
struct ListLimits: Sendable {
    /// How many messages, 1 or more.
    let count: Int
    /// How many bytes of bodies, unless one message alone has more; 1 or more.
    let bytes: Int

    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    func check() throws(MessageLogError) {
        guard count >= 1, bytes >= 1 else {
            throw MessageLogError(
                .invalidArgument, "a list of up to \(count) messages and \(bytes) bytes: both have to be 1 or more")
        }
    }
}
