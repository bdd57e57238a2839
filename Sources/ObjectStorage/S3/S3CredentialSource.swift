import DedicatedThread
import FoundationEssentials

/// Where credentials come from.
public enum S3CredentialSource: Sendable, Hashable {
    /// They are given.
    case fixed(S3Credentials)
    /// The variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; where these are not set, the
    /// shared file `~/.aws/credentials`, or the one that `AWS_SHARED_CREDENTIALS_FILE` names, in which the profile is the one
    /// given, else `AWS_PROFILE`, else `default`. A profile that is given comes before the variables.
    case standard(profile: String?)
    /// A file in the form of `~/.aws/credentials`.
    case file(path: String, profile: String)

    /// Reads them.
    ///
    /// - Parameter environment: The process's variables.
    /// - Returns: The credentials.
    /// - Throws: ``ObjectStoreError`` with the code `denied` when there are none; it says where they can be put.
    func load(environment: [String: String]) throws(ObjectStoreError) -> S3Credentials {
        switch self {
        case .fixed(let credentials): return credentials
        case .file(let path, let profile):
            return try SharedCredentialsFile(path: path).credentials(of: profile)
        case .standard(let profile):
            if profile == nil, let found = try Self.variables(environment) { return found }
            let path: String
            if let named = environment["AWS_SHARED_CREDENTIALS_FILE"], !named.isEmpty {
                path = named
            } else {
                path = (environment["HOME"] ?? "/root") + "/.aws/credentials"
            }
            let file = try SharedCredentialsFile(path: path)
            return try file.credentials(of: profile ?? environment["AWS_PROFILE"] ?? "default")
        }
    }

    private static func variables(_ environment: [String: String]) throws(ObjectStoreError) -> S3Credentials? {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        switch (value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY")) {
        case (let id?, let secret?):
            return S3Credentials(accessKeyID: id, secretAccessKey: secret, sessionToken: value("AWS_SESSION_TOKEN"))
        case (nil, nil): return nil
        case (nil, _):
            throw ObjectStoreError(.denied, "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not; set both")
        case (_, nil):
            throw ObjectStoreError(.denied, "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not; set both")
        }
    }
}

/// The credentials in use; they are read when first needed, and again when a server refuses them.
actor S3CredentialBox {
    private let source: S3CredentialSource
    private let environment: [String: String]
    private let thread = DedicatedThread(name: "s3-credentials")
    private var known: S3Credentials?

    init(_ source: S3CredentialSource, environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.source = source
        self.environment = environment
    }

    /// The credentials to sign with.
    ///
    /// - Throws: ``ObjectStoreError`` with the code `denied` when there are none.
    func current() async throws(ObjectStoreError) -> S3Credentials {
        if let known { return known }
        let loaded = try await load()
        known = loaded
        return loaded
    }

    /// Reads them again, for they may have been changed since.
    ///
    /// - Parameter refused: Those that a server refused.
    /// - Returns: Whether there are others now.
    /// - Throws: ``ObjectStoreError`` with the code `denied` when there are none any more.
    func replace(_ refused: S3Credentials) async throws(ObjectStoreError) -> Bool {
        if let known, known != refused { return true }
        let loaded = try await load()
        known = loaded
        return loaded != refused
    }

    private func load() async throws(ObjectStoreError) -> S3Credentials {
        if case .fixed(let credentials) = source { return credentials }
        let (source, environment) = (source, environment)
        return try await thread.run { () throws(ObjectStoreError) in try source.load(environment: environment) }
    }
}
