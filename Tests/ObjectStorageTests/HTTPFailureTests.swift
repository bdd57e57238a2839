import NIOSSL
import Testing

@testable import ObjectStorage

@Suite struct HTTPFailureTests {
    @Test("a failure of TLS says that nothing was sent only where it comes before the request")
    func failuresOfTLS() {
        #expect(HTTPFailure(NIOSSLExtraError.failedToValidateHostname, hasHead: false).kind == .untrusted)
        // The server may only be about to start.
        let broken = NIOSSLError.handshakeFailed(.sslError([.eofDuringHandshake]))
        #expect(HTTPFailure(broken, hasHead: false).kind == .notSent)
        for error in [NIOSSLError.noCertificateToValidate, .unableToValidateCertificate] {
            #expect(HTTPFailure(error, hasHead: false).kind == .notSent)
        }
        for error in [NIOSSLError.readInInvalidTLSState, .writeDuringTLSShutdown, .uncleanShutdown] {
            #expect(HTTPFailure(error, hasHead: false).kind == .noAnswer)
            #expect(HTTPFailure(error, hasHead: true).kind == .truncated)
        }
    }
}
