public import CivilTime

/// Where a bucket is, who asks for it, and how patiently.
public struct S3Configuration: Sendable {
    /// The bucket's name.
    public var bucket: String
    /// The region that requests are signed for.
    public var region: String
    /// The server, as in `http://127.0.0.1:9000`; `nil` for Amazon's of the region.
    public var endpoint: String?
    /// Whether the bucket is named in the path, `http://host/bucket/key`, and not in the host, `http://bucket.host/key`.
    public var usesPathStyle: Bool
    /// Where the credentials come from.
    public var credentials: S3CredentialSource
    /// A PEM file with the certificate authorities to trust; `nil` for the system's.
    public var authorityFile: String?
    /// When requests are tried again, and when given up.
    public var retry = RetryPolicy()
    /// How long a connection may take.
    public var connectTimeout: Duration = .seconds(5)
    /// How long a server may be silent before a request counts as lost.
    public var silence: Duration = .seconds(20)
    /// How many bytes an answer may have: an object that is larger can be read by ranges.
    public var maximumAnswer = 1 << 30
    /// How many bytes an object has at least that is uploaded in parts.
    public var multipartThreshold = 16 << 20
    /// How many bytes a part has, but for the last; at least 5 MiB.
    ///
    /// Very large objects get larger parts, for there can be 10,000.
    public var partSize = 8 << 20
    /// Where hosts are that are not looked up: for tests with names that no name server has.
    package var addresses: [String: String] = [:]
    /// What time it is; requests are signed with it.
    public var clock: @Sendable () -> UTCTime = { .now }

    /// Describes a bucket.
    public init(
        bucket: String, region: String = "us-east-1", endpoint: String? = nil, usesPathStyle: Bool = false,
        credentials: S3CredentialSource = .standard(profile: nil), authorityFile: String? = nil
    ) {
        self.bucket = bucket
        self.region = region
        self.endpoint = endpoint
        self.usesPathStyle = usesPathStyle
        self.credentials = credentials
        self.authorityFile = authorityFile
    }
}
