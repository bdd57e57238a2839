import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL

/// Why there is no answer to a request.
struct HTTPFailure: Error {
    enum Kind {
        /// There was no connection: nothing of the request can have reached the server.
        case notSent
        /// The server did not prove with TLS who it is: nothing was sent, and trying again does not help.
        case untrusted
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
    /// Whether the host has no address under its name, or no certificate for it.
    let isOfName: Bool
    let cause: (any Error)?

    init(_ kind: Kind, _ reason: String, isOfName: Bool = false, cause: (any Error)? = nil) {
        self.kind = kind
        self.reason = reason
        self.isOfName = isOfName
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
        case let error as NIOConnectionError:
            self.init(.notSent, Self.reason(error), isOfName: error.connectionErrors.isEmpty, cause: error)
        // Certificates are checked before anything is sent.
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            self.init(
                .untrusted, "has a certificate for other names only: use one of them, or another certificate",
                isOfName: true, cause: error)
        case is NIOSSLExtraError: self.init(.notSent, "TLS failed: \(error)", cause: error)
        case let error as NIOSSLError where Self.isOfHandshake(error):
            if let reason = Self.mistrust(error) {
                self.init(.untrusted, reason, cause: error)
            } else {
                self.init(.notSent, "TLS failed: \(error)", cause: error)
            }
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

    /// Why a handshake failed that would fail again.
    private static func mistrust(_ error: NIOSSLError) -> String? {
        guard case .handshakeFailed(.sslError(let errors)) = error else { return nil }
        // BoringSSL's names of reasons are in the description alone.
        func isOf(_ reason: String) -> Bool { errors.contains { $0.description.contains(":\(reason) ") } }
        if isOf("CERTIFICATE_VERIFY_FAILED") {
            return "has a certificate that no authority trusted here has signed, or that is not valid now: "
                + "name the PEM file of its authority (cacertfile)"
        }
        // What a server without TLS says to the first message.
        return isOf("WRONG_VERSION_NUMBER") ? "speaks no TLS at this port: name that for TLS, or http://" : nil
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
    ///   - nameAdvice: What may help where the host's name is at fault, to be added to the reason.
    /// - Returns: The error, which names all that.
    func error(
        _ action: String, at server: HTTPEndpoint, changes: Bool, nameAdvice: String = ""
    ) -> ObjectStoreError {
        let reason = isOfName ? reason + nameAdvice : reason
        return switch kind {
        case .cancelled: ObjectStoreError(.cancelled, "cannot \(action): cancelled")
        case .closed: ObjectStoreError(.closed, "cannot \(action): the store is closed")
        case .notSent:
            ObjectStoreError(
                .unreachable, "cannot \(action): \(server) cannot be reached, \(reason); nothing was changed")
        case .untrusted: ObjectStoreError(.denied, "cannot \(action): \(server) \(reason); nothing was sent")
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
