/// How TLS to a broker is done; at least version 1.2.
public struct BrokerTLS: Hashable, Sendable {
    /// What is checked of the broker's certificate.
    public struct Verification: Hashable, Sendable {
        let checksAuthority: Bool
        let checksHost: Bool

        /// That a trusted authority signed it, and that it is for the host of the URI; the default.
        public static let full = Verification(checksAuthority: true, checksHost: true)
        /// Only that a trusted authority signed it, whatever name it has.
        public static let authorityOnly = Verification(checksAuthority: true, checksHost: false)
        /// Nothing: anybody between the two can read and change what is sent.
        public static let none = Verification(checksAuthority: false, checksHost: false)
    }

    /// This side's certificate, for brokers that ask for one.
    public struct Identity: Hashable, Sendable {
        /// The path of a PEM file with the certificate, and those between it and its authority.
        public var certificateFile: String
        /// The path of a PEM file with its private key, not encrypted.
        public var keyFile: String

        /// Names the two files.
        public init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    /// The path of a PEM file with the authorities to trust; those of the system when it is `nil`.
    public var authorityFile: String?
    /// This side's certificate; none by default.
    public var identity: Identity?
    /// What is checked of the broker's certificate.
    public var verification: Verification

    /// Describes TLS.
    public init(authorityFile: String? = nil, identity: Identity? = nil, verification: Verification = .full) {
        self.authorityFile = authorityFile
        self.identity = identity
        self.verification = verification
    }
}
