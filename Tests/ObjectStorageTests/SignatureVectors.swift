import Testing

/// A request whose signature was published.
struct SignatureVector: Sendable, CustomTestStringConvertible {
    let name: String
    let method: String
    let path: String
    let query: [(name: String, value: String)]
    let headers: [(name: String, value: String)]
    /// The body, where its hash is a header too, as S3 wants it.
    let signedBody: String?
    let token: String?
    let signature: String

    init(
        _ name: String, method: String, path: String, query: [(String, String)] = [],
        headers: [(String, String)] = [], signedBody: String? = nil, token: String? = nil, signature: String
    ) {
        self.name = name
        self.method = method
        self.path = path
        self.query = query.map { (name: $0.0, value: $0.1) }
        self.headers = headers.map { (name: $0.0, value: $0.1) }
        self.signedBody = signedBody
        self.token = token
        self.signature = signature
    }

    var testDescription: String { name }
}

/// The examples of the Amazon S3 API Reference, "Signature Calculations for the Authorization Header": key
/// AKIAIOSFODNN7EXAMPLE, 2013-05-24T00:00:00Z, us-east-1, s3, examplebucket.s3.amazonaws.com.
let publishedS3Examples = [
    SignatureVector(
        "GET object", method: "GET", path: "/test.txt", headers: [("Range", "bytes=0-9")], signedBody: "",
        signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
    SignatureVector(
        "PUT object", method: "PUT", path: "/test$file.text",
        headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
        signedBody: "Welcome to Amazon S3.",
        signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
    SignatureVector(
        "GET bucket lifecycle", method: "GET", path: "/", query: [("lifecycle", "")], signedBody: "",
        signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
    SignatureVector(
        "list objects", method: "GET", path: "/", query: [("max-keys", "2"), ("prefix", "J")], signedBody: "",
        signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
]

/// Amazon's Signature Version 4 test suite (awslabs/aws-c-auth, tests/aws-signing-test-suite/v4): key AKIDEXAMPLE,
/// 2015-08-30T12:36:00Z, us-east-1, service, example.amazonaws.com.
///
/// It is without the cases that normalize a path, which S3 does not, and the one with a header of several lines, which
/// cannot be sent.
let publishedSuite = [
    SignatureVector(
        "get-header-key-duplicate", method: "GET", path: "/",
        headers: [("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
        signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
    SignatureVector(
        "get-header-value-order", method: "GET", path: "/",
        headers: [
            ("My-Header1", "value4"), ("My-Header1", "value1"), ("My-Header1", "value3"), ("My-Header1", "value2"),
        ], signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"),
    SignatureVector(
        "get-header-value-trim", method: "GET", path: "/",
        headers: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
        signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
    SignatureVector(
        "get-relative-unnormalized", method: "GET", path: "/example/..",
        signature: "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282"),
    SignatureVector(
        "get-slash-dot-slash-unnormalized", method: "GET", path: "/./",
        signature: "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145"),
    SignatureVector(
        "get-slashes-unnormalized", method: "GET", path: "//example//",
        signature: "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"),
    SignatureVector(
        "get-space-unnormalized", method: "GET", path: "/example space/",
        signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
    SignatureVector(
        "get-unreserved", method: "GET", path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
    SignatureVector(
        "get-utf8", method: "GET", path: "/ሴ",
        signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    SignatureVector(
        "get-vanilla", method: "GET", path: "/",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    SignatureVector(
        "get-vanilla-empty-query-key", method: "GET", path: "/", query: [("Param1", "value1")],
        signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
    SignatureVector(
        "get-vanilla-query-order-encoded", method: "GET", path: "/",
        query: [("Param-3", "Value3"), ("Param", "Value2"), ("ሴ", "Value1")],
        signature: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"),
    SignatureVector(
        "get-vanilla-query-order-key-case", method: "GET", path: "/",
        query: [("Param2", "value2"), ("Param1", "value1")],
        signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    SignatureVector(
        "get-vanilla-query-unreserved", method: "GET", path: "/",
        query: [
            (
                "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
            )
        ], signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
    SignatureVector(
        "get-vanilla-utf8-query", method: "GET", path: "/", query: [("ሴ", "bar")],
        signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
    SignatureVector(
        "get-vanilla-with-session-token", method: "GET", path: "/",
        token: "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
        signature: "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"),
    SignatureVector(
        "post-header-key-sort", method: "POST", path: "/", headers: [("My-Header1", "value1")],
        signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
    SignatureVector(
        "post-header-value-case", method: "POST", path: "/", headers: [("My-Header1", "VALUE1")],
        signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
    SignatureVector(
        "post-vanilla", method: "POST", path: "/",
        signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    SignatureVector(
        "post-vanilla-empty-query-value", method: "POST", path: "/", query: [("Param1", "value1")],
        signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
    SignatureVector(
        "post-x-www-form-urlencoded", method: "POST", path: "/",
        headers: [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", "13")],
        signedBody: "Param1=value1", signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"),
    SignatureVector(
        "post-x-www-form-urlencoded-parameters", method: "POST", path: "/",
        headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"), ("Content-Length", "13")],
        signedBody: "Param1=value1", signature: "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"),
]
