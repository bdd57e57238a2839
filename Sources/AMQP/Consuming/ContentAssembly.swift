/// Puts a message together from the frames that bring it: a method, a header, and any number of body frames.
struct ContentAssembly<Head> {
    /// A whole message.
    struct Content {
        let head: Head
        let properties: MessageProperties
        let body: [UInt8]
    }

    /// More than any broker takes by default.
    static var largestBody: UInt64 { 536_870_912 }

    private enum State {
        case idle
        case awaitingHeader(Head)
        case awaitingBody(Head, MessageProperties, size: Int)
    }

    private var state = State.idle
    private var body: [UInt8] = []

    /// A method came that has content.
    mutating func begin(_ head: Head) throws(AMQPError) {
        guard case .idle = state else { throw Self.violation("a method within a message") }
        state = .awaitingHeader(head)
    }

    /// The header came.
    ///
    /// - Returns: The message, when it has no body.
    mutating func header(bodySize: UInt64, _ properties: MessageProperties) throws(AMQPError) -> Content? {
        guard case .awaitingHeader(let head) = state else { throw Self.violation("a header without its method") }
        guard bodySize <= Self.largestBody else { throw Self.violation("a message of \(bodySize) bytes") }
        state = .awaitingBody(head, properties, size: Int(bodySize))
        body = []
        // What the header says is only believed so far.
        body.reserveCapacity(min(Int(bodySize), 1_048_576))
        return completed()
    }

    /// A piece of the body came.
    ///
    /// - Returns: The message, when that was the last piece.
    mutating func append(_ piece: UnsafeRawBufferPointer) throws(AMQPError) -> Content? {
        guard case .awaitingBody(_, _, let size) = state else { throw Self.violation("a body without its header") }
        guard body.count + piece.count <= size else { throw Self.violation("a body larger than its header says") }
        body.append(contentsOf: piece)
        return completed()
    }

    private mutating func completed() -> Content? {
        guard case .awaitingBody(let head, let properties, let size) = state, body.count == size else { return nil }
        defer {
            state = .idle
            body = []
        }
        return Content(head: head, properties: properties, body: body)
    }

    private static func violation(_ what: String) -> AMQPError {
        AMQPError(.protocolViolation, "the broker sent \(what)")
    }
}
