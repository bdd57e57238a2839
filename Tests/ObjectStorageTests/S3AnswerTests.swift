import CivilTime
import NIOHTTP1
import Testing

@testable import ObjectStorage

@Suite struct S3AnswerTests {
    @Test(
        "what an error of S3 comes down to",
        arguments: [
            (404, "NoSuchKey", S3Verdict.refused), (412, "PreconditionFailed", .refused), (503, "SlowDown", .later),
            (409, "ConditionalRequestConflict", .later), (400, "RequestTimeout", .later), (429, nil, .later),
            (500, "InternalError", .unclear), (502, nil, .unclear), (503, nil, .unclear),
            (501, "NotImplemented", .refused),
            (403, "RequestTimeTooSkewed", .skewed), (403, "InvalidAccessKeyId", .unknownCredentials),
            (403, "SignatureDoesNotMatch", .unknownCredentials), (400, "ExpiredToken", .unknownCredentials),
            (403, "AccessDenied", .refused), (403, nil, .unknownCredentials), (400, nil, .unknownCredentials),
            (301, "PermanentRedirect", .refused),
        ] as [(Int, String?, S3Verdict)])
    func verdicts(_ status: Int, _ code: String?, _ verdict: S3Verdict) {
        #expect(S3Fault(status: status, code: code).verdict == verdict)
    }

    @Test("an error with status 200 counts where the server answers before the work is done, and only there")
    func lateError() {
        let body = Array("<Error><Code>InternalError</Code><Message>try again\u{7}</Message></Error>".utf8)
        let response = HTTPResponse(status: 200, headers: [:], body: body)
        let fault = S3Fault(response, answersEarly: true)
        #expect(fault?.verdict == .unclear)
        #expect(fault?.message?.contains("\u{7}") == false)
        #expect(S3Fault(response) == nil)
    }

    @Test("pauses double up to the longest, and each is a random part of that")
    func pauses() {
        let policy = RetryPolicy(firstPause: .milliseconds(100), longestPause: .seconds(1))
        #expect((1...6).map { policy.longestPause(behind: $0) / .milliseconds(1) } == [100, 200, 400, 800, 1000, 1000])
        #expect(policy.longestPause(behind: .max) == .seconds(1))
        var generator = SystemRandomNumberGenerator()
        let pauses = Set((0..<100).map { _ in policy.pause(behind: 3, using: &generator) })
        #expect(pauses.count > 50)
        #expect(pauses.allSatisfy { (.zero ... .milliseconds(400)).contains($0) })
    }

    @Test("a clock learns how far it is off, and which requests were signed with a wrong time")
    func clock() throws {
        let local = try #require(UTCTime("2026-11-21T02:00:00Z"))
        let clock = StoreClock { local }
        #expect(clock.learn(from: nil, signed: local) == .none)
        #expect(clock.learn(from: "Sat, 21 Nov 2026 01:59:30 GMT", signed: local) == .none)
        #expect(clock.learn(from: "Sat, 21 Nov 2026 01:00:00 GMT", signed: local) == .new)
        #expect(clock.secondsAhead == 3600)
        #expect(clock.now == UTCTime("2026-11-21T01:00:00Z"))
        // One that was on its way meanwhile, and one that was signed since.
        #expect(clock.learn(from: "Sat, 21 Nov 2026 01:00:10 GMT", signed: local) == .known)
        #expect(clock.learn(from: "Sat, 21 Nov 2026 01:00:10 GMT", signed: clock.now) == .none)
    }

    @Test("a large body is cut into parts that cover it, no more than S3 takes")
    func parts() {
        #expect(MultipartUpload.parts(of: 20, size: 8) == [0..<8, 8..<16, 16..<20])
        #expect(MultipartUpload.parts(of: 16, size: 8) == [0..<8, 8..<16])
        let many = MultipartUpload.parts(of: 1 << 40, size: 8 << 20)
        #expect(many.count <= 10_000)
        #expect(many.last?.upperBound == 1 << 40)
    }

    @Test("a range that a server tells is read, and nothing else")
    func contentRanges() {
        let range = ContentRange("bytes 5-9/100")
        #expect(range?.first == 5 && range?.count == 5 && range?.size == 100)
        for text in [nil, "", "bytes */100", "bytes 9-5/100", "bytes 5-100/100", "bytes 5-9/*", "items 5-9/100"] {
            #expect(ContentRange(text) == nil)
        }
    }
}
