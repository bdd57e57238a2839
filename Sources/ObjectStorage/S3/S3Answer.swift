/// What an error of a server on S3's protocol comes down to (Amazon S3 API Reference, "Error responses").
enum S3Verdict: Equatable {
    /// It was refused, and the same request would be again.
    case refused
    /// It may be done later: the server is busy, or another request was in its way. It did nothing.
    case later
    /// The server failed, and may have done it.
    case unclear
    /// This host's clock is too far from the server's.
    case skewed
    /// The server does not know these credentials, or not any more.
    case unknownCredentials
}

/// An error in an answer: S3's code and message, where there are such.
struct S3Fault: Equatable, Sendable {
    /// The HTTP status.
    let status: Int
    /// S3's code, such as `NoSuchKey`; `nil` where there is no body, as for HEAD, or none of S3's.
    let code: String?
    /// S3's message, made safe to show.
    let message: String?
    /// The region that the server expects.
    let region: String?

    init(status: Int, code: String? = nil, message: String? = nil, region: String? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.region = region
    }

    /// Reads the error in an answer; `nil` for an answer that is none.
    ///
    /// - Parameters:
    ///   - response: The answer.
    ///   - answersEarly: Whether one with status 200 can hold an error.
    init?(_ response: HTTPResponse, answersEarly: Bool = false) {
        let isGood = 200...299 ~= response.status
        guard !isGood || answersEarly else { return nil }
        let error = XMLElement(response.body).flatMap { $0.name == "Error" ? $0 : nil }
        guard !isGood || error != nil else { return nil }
        self.init(
            // An error behind a good status is one of the server's.
            status: isGood ? 500 : response.status,
            code: error?["Code"].flatMap { $0.isEmpty ? nil : String($0.visible.prefix(80)) },
            message: error?["Message"].flatMap { $0.isEmpty ? nil : String($0.visible.prefix(300)) },
            region: response["x-amz-bucket-region"] ?? error?["Region"])
    }

    var verdict: S3Verdict {
        switch code {
        case "SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests",
            "RequestLimitExceeded", "RequestThrottled", "ConditionalRequestConflict", "OperationAborted",
            // The body did not arrive whole, and the server noticed.
            "RequestTimeout", "IncompleteBody", "BadDigest", "XAmzContentSHA256Mismatch":
            return .later
        case "RequestTimeTooSkewed": return .skewed
        case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
            return .unknownCredentials
        case "PreconditionFailed", "NoSuchUpload", "NoSuchBucket", "NoSuchKey", "AccessDenied": return .refused
        case "InternalError": return .unclear
        default: break
        }
        switch status {
        case 408, 429: return .later
        // A session token that is wrong or has ended is 400, and an answer to HEAD has no code.
        case 400, 401, 403: return code == nil ? .unknownCredentials : .refused
        case 501, 505, 507: return .refused
        case 500...: return .unclear
        default: return .refused
        }
    }

    /// Whether the server asks for fewer requests.
    var isThrottling: Bool {
        switch code {
        case "SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests",
            "RequestLimitExceeded", "RequestThrottled":
            true
        default: status == 429
        }
    }

    /// Code and message, for people.
    var description: String {
        let name = code ?? "status \(status)"
        return message.map { "\(name), \($0)" } ?? name
    }
}
