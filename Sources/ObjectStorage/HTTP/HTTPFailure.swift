import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL

/// Why there is no answer to a request.
struct HTTPFailure: Error {
    enum Kind {
        /// There was no connection: nothing of the request can have reached the server.
        case notSent
        /// The request, or a part of it, may have reached the server, and what it did is not known.
        case noAnswer
        /// The answer began, and ended before its end.
        case truncated
        /// The answer is longer than it may be.
        case tooLong
        /// The task that waited was cancelled.
        case cancelled
        /// The transport was closed.
        case closed
    }

    let kind: Kind
    /// What happened, as a part of a sentence.
    let reason: String
    let cause: (any Error)?

    init(_ kind: Kind, _ reason: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.reason = reason
        self.cause = cause
    }

    /// Sorts what AsyncHTTPClient throws.
    ///
    /// - Parameters:
    ///   - error: What it threw.
    ///   - hasHead: Whether the head of the answer had come.
    init(_ error: any Error, hasHead: Bool) {
        switch error {
        case let error as HTTPClientError where error == .cancelled: self.init(.cancelled, "it was cancelled")
        case let error as HTTPClientError where error == .alreadyShutdown: self.init(.closed, "the store is closed")
        case let error as HTTPClientError where Self.isOfConnecting(error):
            self.init(.notSent, "no connection in the time given", cause: error)
        case let error as HTTPClientError where error == .readTimeout || error == .deadlineExceeded:
            self.init(.noAnswer, "no answer in the time given", cause: error)
        case let error as NIOConnectionError: self.init(.notSent, Self.reason(error), cause: error)
        // Certificates are loaded and checked before anything is sent.
        case is NIOSSLExtraError: self.init(.notSent, "TLS failed: \(error)", cause: error)
        case let error as NIOSSLError where Self.isOfHandshake(error):
            self.init(.notSent, "TLS failed: \(error)", cause: error)
        case let error as IOError where error.errnoCode == ECONNREFUSED:
            self.init(.notSent, "connection refused", cause: error)
        case is CancellationError: self.init(.cancelled, "it was cancelled")
        default:
            self.init(hasHead ? .truncated : .noAnswer, Self.reason(error), cause: error)
        }
    }

    private static func isOfConnecting(_ error: HTTPClientError) -> Bool {
        [.connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout].contains(error)
    }

    /// Whether it can only come up before the first byte of a request is sent.
    private static func isOfHandshake(_ error: NIOSSLError) -> Bool {
        switch error {
        case .writeDuringTLSShutdown, .shutdownFailed, .readInInvalidTLSState, .uncleanShutdown: false
        default: true
        }
    }

    private static func reason(_ error: NIOConnectionError) -> String {
        // The look-up of one family of addresses may fail where the other one's succeeds.
        guard let failure = error.connectionErrors.first else { return "the name '\(error.host)' has no address" }
        return reason(failure.error)
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode)).lowercased()
        case let error as HTTPClientError where error == .remoteConnectionClosed: "the connection was closed"
        case let error as HTTPClientError: error.shortDescription.lowercased()
        case is ChannelError: "no connection in the time given"
        default: String(describing: error)
        }
    }
}

extension HTTPFailure {
    /// The failure as stores tell it.
    ///
    /// - Parameters:
    ///   - action: What was tried, as in `put 'a/b' into s3://logs`.
    ///   - server: Where the request went.
    ///   - changes: Whether the request would have changed something.
    /// - Returns: The error, which names all that.
    func error(_ action: String, at server: HTTPEndpoint, changes: Bool) -> ObjectStoreError {
        switch kind {
        case .cancelled: ObjectStoreError(.cancelled, "cannot \(action): cancelled")
        case .closed: ObjectStoreError(.closed, "cannot \(action): the store is closed")
        case .notSent:
            ObjectStoreError(
                .unreachable, "cannot \(action): \(server) cannot be reached, \(reason); nothing was changed")
        case .noAnswer where changes, .truncated where changes, .tooLong where changes:
            ObjectStoreError(
                .ambiguous,
                "cannot tell whether the attempt to \(action) succeeded: \(server) gave no whole answer, \(reason)")
        case .noAnswer:
            ObjectStoreError(.unreachable, "cannot \(action): \(server) did not answer, \(reason)")
        case .truncated:
            ObjectStoreError(.corrupt, "cannot \(action): the answer of \(server) ended too early, \(reason)")
        case .tooLong:
            ObjectStoreError(.unsupported, "cannot \(action): the answer of \(server) is too long, \(reason)")
        }
    }
}
