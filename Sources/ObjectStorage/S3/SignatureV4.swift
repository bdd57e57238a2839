import CivilTime
import Crypto

/// Signs requests with AWS Signature Version 4.
///
/// The method is the one of the IAM User Guide, "Create a signed AWS API request", in S3's form: the path is encoded once
/// and not normalized, and the payload's hash is a header of its own.
struct SignatureV4: Sendable {
    /// Whose requests they are.
    let credentials: S3Credentials
    /// The region that the signature is for, such as `eu-central-1`.
    let region: String
    /// The service that it is for.
    var service = "s3"

    /// The headers that a signed request has beside those it had: `x-amz-date`, `x-amz-security-token` with a token, and
    /// `Authorization`.
    ///
    /// - Parameters:
    ///   - method: `GET`, for instance.
    ///   - path: The path as it is sent.
    ///   - query: The parameters, not encoded; see ``queryString(_:)``.
    ///   - headers: Every header to sign: `host`, and those of the service; names in any case, several of a name allowed.
    ///   - payloadHash: The SHA-256 of the body, in hexadecimal.
    ///   - time: The time of signing, which servers accept within 15 minutes of theirs.
    /// - Returns: The headers to add.
    func headers(
        method: String, path: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)], payloadHash: String, time: UTCTime
    ) -> [(name: String, value: String)] {
        let stamp = Self.stamp(time)
        var added = [(name: "x-amz-date", value: stamp)]
        if let token = credentials.sessionToken {
            added.append((name: "x-amz-security-token", value: token.revealed))
        }
        let canonical = Self.canonicalRequest(
            method: method, path: path, query: query, headers: headers + added, payloadHash: payloadHash)
        let scope = "\(stamp.prefix(8))/\(region)/\(service)/aws4_request"
        let text = Self.stringToSign(canonical.text, stamp: stamp, scope: scope)
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(canonical.names), "
            + "Signature=\(signature(of: text, day: stamp.prefix(8)))"
        added.append((name: "Authorization", value: authorization))
        return added
    }

    /// The query as it is signed, and has to be sent: encoded, in the order of names and values.
    static func queryString(_ query: [(name: String, value: String)]) -> String {
        let pairs = query.map { (percentEncoded($0.name), percentEncoded($0.value)) }
        return pairs.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    static func canonicalRequest(
        method: String, path: String, query: [(name: String, value: String)],
        headers: [(name: String, value: String)], payloadHash: String
    ) -> (text: String, names: String) {
        var values: [String: [String]] = [:]
        for header in headers { values[header.name.lowercased(), default: []].append(trimmed(header.value)) }
        let sorted = values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let names = sorted.map(\.key).joined(separator: ";")
        var lines = [method, path.isEmpty ? "/" : path, queryString(query)]
        lines += sorted.map { "\($0.key):\($0.value.joined(separator: ","))" }
        lines += ["", names, payloadHash]
        return (lines.joined(separator: "\n"), names)
    }

    static func stringToSign(_ canonicalRequest: String, stamp: String, scope: String) -> String {
        "AWS4-HMAC-SHA256\n\(stamp)\n\(scope)\n\(hexadecimal(SHA256.hash(data: Array(canonicalRequest.utf8))))"
    }

    /// A time as ISO 8601's basic format writes it: `20130524T000000Z`.
    static func stamp(_ time: UTCTime) -> String {
        String(time.description.prefix(19).filter { $0 != "-" && $0 != ":" }) + "Z"
    }

    private func signature(of text: String, day: Substring) -> String {
        let secret = Array("AWS4\(credentials.secretAccessKey.revealed)".utf8)
        var key = SymmetricKey(data: secret)
        for part in [String(day), region, service, "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        return hexadecimal(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }

    /// A value without the spaces around it, and with one for each run of them.
    private static func trimmed(_ value: String) -> String {
        value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }
}
