import JSON

/// What is wrong with a message, or with the balancers that it describes.
public struct MessageError: Error, Sendable, CustomStringConvertible {
    /// The kind of fault.
    public enum Code: Sendable, Hashable {
        /// It is not a JSON object, or too large a one.
        case malformed

        /// Something required is not there.
        case missing

        /// A value is of the wrong type or out of its range.
        case invalid

        /// Two values that are each right exclude each other.
        case conflict
    }

    /// The kind of fault.
    public let code: Code

    /// The fault in one sentence; for the faults that clients have always known, in the words they know.
    public let text: String

    /// Where the fault is, when that is not said in ``text``.
    public var location: MessageLocation?

    /// What led to it: a ``JSONError`` when the code is ``Code/malformed``.
    public let cause: (any Error)?

    /// Whether the same message may be accepted later: never.
    public var isRetriable: Bool { false }

    /// The fault and where it is.
    public var message: String { location.map { "\(text) (\($0))" } ?? text }

    /// Creates an error.
    public init(_ code: Code, _ text: String, at location: MessageLocation? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.text = text
        self.location = location
        self.cause = cause
    }

    /// The same as ``message``.
    public var description: String { message }
}

extension MessageError {
    /// The same error at a place that is known better.
    func `in`(_ refine: (inout MessageLocation) -> Void) -> MessageError {
        var error = self
        var place = location ?? MessageLocation()
        refine(&place)
        error.location = place
        return error
    }
}
