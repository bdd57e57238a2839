/// Where a bucket is.
struct S3Address: Sendable, Hashable, CustomStringConvertible {
    /// The bucket's name.
    let bucket: String
    /// The server, with the bucket's name in front of its own if that is the style.
    let endpoint: HTTPEndpoint
    /// What paths begin with: the bucket's name, or nothing.
    let bucketPath: String
    /// What may help where the host's name has no address, or no certificate: the end of a sentence, or nothing.
    let nameAdvice: String

    /// Checks where a configuration leads.
    ///
    /// - Throws: ``ObjectStoreError`` with the code `invalidArgument`.
    init(_ configuration: S3Configuration) throws(ObjectStoreError) {
        bucket = configuration.bucket
        let region = configuration.region
        guard Self.isRegion(region) else {
            throw ObjectStoreError(.invalidArgument, "'\(region.visible)' is no region: it looks like eu-central-1")
        }
        let server: HTTPEndpoint
        if let endpoint = configuration.endpoint {
            server = try HTTPEndpoint(endpoint)
        } else {
            server = HTTPEndpoint(isTLS: true, host: "s3.\(region).amazonaws.com")
        }
        // A certificate for *.s3.example is not valid for a.b.s3.example, and an address has no names below it.
        let isInPath = configuration.usesPathStyle || (server.isTLS && bucket.contains(".")) || server.isAddress
        guard Self.isBucket(bucket, isInPath: isInPath) else {
            throw ObjectStoreError(
                .invalidArgument,
                "'\(bucket.visible)' is no bucket: a name has 3 to 63 lower-case letters, digits, '-' and '.'")
        }
        endpoint = isInPath ? server : server.subdomain(bucket)
        bucketPath = isInPath ? "/\(bucket)" : ""
        nameAdvice = isInPath || configuration.endpoint == nil ? "" : "; path-style=true asks \(server) instead"
    }

    var description: String { "s3://\(bucket)" }

    /// Whether a name follows Amazon's rules (S3 User Guide, "General purpose bucket naming rules"); other servers, which
    /// are addressed by path, allow capitals and underscores too.
    private static func isBucket(_ name: String, isInPath: Bool) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            48...57 ~= byte || 97...122 ~= byte || (isInPath && 65...90 ~= byte)
        }
        guard 3...63 ~= name.utf8.count, let first = name.utf8.first, let last = name.utf8.last,
            isAlphanumeric(first), isAlphanumeric(last), !name.contains("..")
        else { return false }
        return name.utf8.allSatisfy { byte in
            isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                || (isInPath && byte == UInt8(ascii: "_"))
        }
    }

    private static func isRegion(_ name: String) -> Bool {
        1...64 ~= name.utf8.count
            && name.utf8.allSatisfy { byte in
                48...57 ~= byte || 97...122 ~= byte || 65...90 ~= byte || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            }
    }
}
