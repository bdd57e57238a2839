internal import AMQP
internal import ObjectStorage
internal import SystemPackage

/// The broker of a configuration that names none, from the keys of the old configuration files.
extension MessageLogConfiguration {
    var standardBroker: String {
        get throws(MessageLogError) {
            if let s3Bucket { return try s3URL(s3Bucket) }
            if let host { return rabbitMQURL(host) }
            return "file://" + Self.encodedPath(MessageLogFolders.standard.string)
        }
    }

    private func s3URL(_ bucket: String) throws(MessageLogError) -> String {
        var url = "s3://" + percentEncoded(bucket)
        if let s3Prefix, !s3Prefix.isEmpty { url += "/" + Self.encodedPath(s3Prefix) }
        var parameters: [String] = []
        if let s3Host {
            let endpoint = s3Host.contains("://") ? s3Host : "https://\(s3Host)"
            parameters.append("endpoint=" + percentEncoded(endpoint))
        }
        if s3PathStyle ?? (s3Host != nil) { parameters.append("path-style=true") }
        if let s3AuthorityFile { parameters.append("cacertfile=" + percentEncoded(s3AuthorityFile.string)) }
        return parameters.isEmpty ? url : url + "?" + parameters.joined(separator: "&")
    }

    private func rabbitMQURL(_ host: String) -> String {
        var url = host.contains("://") ? host : "amqp://\(host)"
        if !url.contains("exchange=") {
            url += (url.contains("?") ? "&" : "?") + "exchange=" + percentEncoded(exchangeName)
        }
        return url
    }

    private static func encodedPath(_ path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map { percentEncoded(String($0)) }
            .joined(separator: "/")
    }

    var credentials: S3CredentialSource? {
        get throws(MessageLogError) {
            switch (s3Key, s3Secret) {
            case (nil, nil): return nil
            case (let key?, let secret?):
                return .fixed(S3Credentials(accessKeyID: key, secretAccessKey: secret))
            default:
                throw MessageLogError(
                    .invalidArgument,
                    "s3_key and s3_secret belong together: set both, or neither for the variables and "
                        + "files that Amazon's tools read")
            }
        }
    }
}

extension MessageLogConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The brokers, without secrets.
    public var description: String {
        do {
            return try brokerURLs.map(\.description).joined(separator: " ")
        } catch {
            return "\(error)"
        }
    }

    /// The same as `description`: secrets are left out of dumps too.
    public var debugDescription: String { description }

    /// A mirror without secrets.
    public var customMirror: Mirror { Mirror(self, children: ["brokers": description]) }
}
