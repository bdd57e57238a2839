/// Who asks a store on S3's protocol, and the key that proves it.
///
/// The key and the token are left out of descriptions, dumps and errors.
public struct S3Credentials: Sendable, Hashable {
    /// The name of the key, such as `AKIAIOSFODNN7EXAMPLE`.
    public let accessKeyID: String
    let secretAccessKey: Secret
    let sessionToken: Secret?

    /// Takes credentials.
    ///
    /// - Parameters:
    ///   - accessKeyID: The name of the key.
    ///   - secretAccessKey: The key.
    ///   - sessionToken: The token that goes with temporary credentials.
    public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = Secret(secretAccessKey)
        self.sessionToken = sessionToken.map(Secret.init)
    }
}

extension S3Credentials: CustomStringConvertible {
    /// The name of the key alone.
    public var description: String { accessKeyID }
}
