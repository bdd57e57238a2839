/// Files for a TLS connection to a job server, as `gearmand --ssl` takes them.
///
/// libgearman speaks TLS only where it was built with it, and Debian's is not. ``Worker``, ``Client`` and ``Admin`` then
/// throw a ``GearmanError`` with the code `tlsUnavailable`; `docs/tls.md` shows the same with stunnel.
public struct TLSOptions: Hashable, Sendable {
    /// The path of a PEM file with the authority that signed the job server's certificate.
    public var authorityFile: String
    /// The path of a PEM file with this side's certificate.
    public var certificateFile: String
    /// The path of a PEM file with the private key of the certificate.
    public var keyFile: String

    /// Names the three files.
    public init(authorityFile: String, certificateFile: String, keyFile: String) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}
