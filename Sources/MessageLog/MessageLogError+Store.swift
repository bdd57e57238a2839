import ObjectStorage

extension MessageLogError {
    /// What a store's refusal means to whoever uses a log on it.
    ///
    /// - Parameters:
    ///   - error: What the store threw.
    ///   - what: What could not be done, such as `cannot read the cursor 'a'`.
    init(_ error: ObjectStoreError, _ what: String) {
        self.init(Self.code(of: error), what, cause: error)
    }

    private static func code(of error: ObjectStoreError) -> Code {
        switch error.code {
        case .invalidArgument: .invalidArgument
        case .notFound: .notFound
        case .denied: .denied
        // A body that arrived damaged is not yet a damaged object: another attempt tells.
        case .throttled, .unreachable, .corrupt: .unreachable
        case .ambiguous: .ambiguous
        case .unsupported: .unsupported
        case .full: .full
        case .closed: .closed
        case .cancelled: .cancelled
        default: .systemError
        }
    }
}
