import NIOHTTP1

/// A request to a bucket, before it is signed.
struct S3Operation: Sendable {
    /// What is asked for.
    var method: HTTPMethod
    /// The object; `nil` for the bucket itself.
    var key: ObjectKey?
    /// The parameters, not encoded.
    var query: [(name: String, value: String)] = []
    /// The headers, without those of signing.
    var headers: [(name: String, value: String)] = []
    /// The body.
    var body: ArraySlice<UInt8>?
    /// What has to be so for it to be done.
    var condition: PutCondition = .always
    /// What it is, as in `put 'a/b' into s3://logs`.
    var action: String
    /// Whether it changes something.
    var changes = false
    /// How many bytes the answer may have.
    var limit = 1 << 20
    /// A status that is no error although it does not begin with a 2.
    var alsoAccepted: Int?
    /// Whether that status is taken also when an attempt before may have been carried out.
    var acceptsInDoubt = true
    /// Whether an answer with status 200 can hold an error: the server sends its head before the work is done.
    var answersEarly = false
}

extension PutCondition {
    /// The header that states it.
    var header: (name: String, value: String)? {
        switch self {
        case .always: nil
        case .absent: (name: "If-None-Match", value: "*")
        case .matches(let tag): (name: "If-Match", value: tag.description)
        }
    }
}
