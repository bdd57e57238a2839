import CivilTime
import Crypto
import Testing

@testable import ObjectStorage

@Suite struct SignatureV4Tests {
    @Test("Amazon's published examples for S3 come out the same", arguments: publishedS3Examples)
    func s3Examples(_ vector: SignatureVector) throws {
        let credentials = S3Credentials(
            accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        let authorization = try authorization(
            for: vector, signer: SignatureV4(credentials: credentials, region: "us-east-1"),
            host: "examplebucket.s3.amazonaws.com", at: "2013-05-24T00:00:00Z")
        #expect(authorization.hasSuffix("Signature=\(vector.signature)"))
        #expect(
            authorization.hasPrefix(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders="))
    }

    @Test("Amazon's test suite of the method comes out the same", arguments: publishedSuite)
    func suite(_ vector: SignatureVector) throws {
        let credentials = S3Credentials(
            accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            sessionToken: vector.token)
        let authorization = try authorization(
            for: vector, signer: SignatureV4(credentials: credentials, region: "us-east-1", service: "service"),
            host: "example.amazonaws.com", at: "2015-08-30T12:36:00Z")
        #expect(authorization.hasSuffix("Signature=\(vector.signature)"))
    }

    @Test("a date in HTTP's form is read, and nothing else")
    func httpDates() {
        #expect(UTCTime(httpDate: "Fri, 24 May 2013 00:00:00 GMT") == UTCTime("2013-05-24T00:00:00Z"))
        #expect(UTCTime(httpDate: "Tue, 31 Dec 2030 23:59:59 GMT") == UTCTime("2030-12-31T23:59:59Z"))
        for text in ["", "Fri, 24 May 2013 00:00:00 CET", "Fri, 24 Mai 2013 00:00:00 GMT", "24 May 2013 00:00:00 GMT"] {
            #expect(UTCTime(httpDate: text) == nil, "\(text)")
        }
    }

    @Test("neither a description nor a dump of credentials shows the secret or the token")
    func secretsAreHidden() {
        let credentials = S3Credentials(accessKeyID: "AKIAPUBLIC", secretAccessKey: "hush-1", sessionToken: "hush-2")
        var dumped = ""
        dump(credentials, to: &dumped)
        let source = S3CredentialSource.fixed(credentials)
        for text in [
            "\(credentials)", String(reflecting: credentials), dumped, "\(source)", String(reflecting: source),
        ] {
            #expect(!text.contains("hush"), "\(text)")
        }
        #expect("\(credentials)" == "AKIAPUBLIC")
    }

    private func authorization(
        for vector: SignatureVector, signer: SignatureV4, host: String, at time: String
    ) throws -> String {
        let hash = hexadecimal(SHA256.hash(data: Array((vector.signedBody ?? "").utf8)))
        var headers = vector.headers + [(name: "Host", value: host)]
        if vector.signedBody != nil { headers.append((name: "x-amz-content-sha256", value: hash)) }
        let added = signer.headers(
            method: vector.method, path: percentEncoded(vector.path, keepsSlashes: true), query: vector.query,
            headers: headers, payloadHash: hash, time: try #require(UTCTime(time)))
        return try #require(added.last { $0.name == "Authorization" }).value
    }
}
