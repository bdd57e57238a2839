import CivilTime
import ObjectStorage
import Synchronization
import TestServers
import Testing

/// What goes wrong between a store and a server, had from a server that follows a script.
@Suite(.timeLimit(.minutes(2))) struct S3FaultTests {
    private static let done = ScriptedHTTP.Step.answer(200, headers: [("ETag", "\"t\"")])
    private static let uploadBegun = ScriptedHTTP.Step.answer(
        200, body: "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")

    private static func refusal(_ status: Int, _ code: String, headers: [(String, String)] = []) -> ScriptedHTTP.Step {
        .answer(status, headers: headers, body: "<Error><Code>\(code)</Code><Message>as scripted</Message></Error>")
    }

    /// Has objects of ten bytes uploaded in three parts.
    private static func useParts(_ configuration: inout S3Configuration) {
        configuration.multipartThreshold = 10
        configuration.partSize = 4
    }

    /// A server that takes each request to the next step, and stays with the last.
    private func withScript(
        _ steps: [ScriptedHTTP.Step], isolation: isolated (any Actor)? = #isolation,
        configure: (inout S3Configuration) -> Void = { _ in },
        _ body: (S3ObjectStore, ScriptedHTTP) async throws -> Void
    ) async throws {
        let server = try ScriptedHTTP { request in steps[min(request.number, steps.count) - 1] }
        defer { server.close() }
        try await withS3Store(login(server), configure: configure) { store in try await body(store, server) }
    }

    private let key: ObjectKey
    init() throws { key = try ObjectKey("a/b") }

    @Test("a put is tried again after 500, and done")
    func serverErrorOnce() async throws {
        try await withScript([Self.refusal(500, "InternalError"), Self.done]) { store, server in
            let tag = try await store.put(key, [1, 2])
            #expect(tag.description == "\"t\"")
            #expect(server.requests.map(\.body) == [[1, 2], [1, 2]])
        }
    }

    @Test("a server that goes on to ask for fewer requests is told as throttled")
    func slowDown() async throws {
        try await withScript([Self.refusal(503, "SlowDown")]) { store, server in
            let error = await storeError { try await store.put(key, [1], if: .absent) }
            #expect(error?.code == .throttled)
            #expect(server.requests.count == 4)
        }
    }

    @Test("412 after an attempt that may have been carried out is ambiguous, and not a lost race")
    func ownWrite() async throws {
        for first in [ScriptedHTTP.Step.reset, Self.refusal(500, "InternalError"), .answer(502)] {
            try await withScript([first, Self.refusal(412, "PreconditionFailed")]) { store, _ in
                let error = await storeError { try await store.put(key, [1], if: .absent) }
                #expect(error?.code == .ambiguous, "\(String(describing: error))")
            }
        }
    }

    @Test("412 at once, after throttling or after a conflict is a lost race")
    func lostRace() async throws {
        let lost = Self.refusal(412, "PreconditionFailed")
        let conflict = Self.refusal(409, "ConditionalRequestConflict")
        for steps in [[lost], [Self.refusal(503, "SlowDown"), lost], [conflict, lost]] {
            try await withScript(steps) { store, _ in
                let error = await storeError { try await store.put(key, [1], if: .absent) }
                #expect(error?.code == .preconditionFailed, "\(String(describing: error))")
            }
        }
    }

    @Test("a put to replace an object that is gone does not find its condition met")
    func goneObject() async throws {
        try await withScript([Self.refusal(404, "NoSuchKey")]) { store, _ in
            let error = await storeError { try await store.put(key, [1], if: .matches(EntityTag("\"t\""))) }
            #expect(error?.code == .preconditionFailed)
        }
    }

    @Test("a put without an answer is ambiguous, and the deadline holds")
    func silence() async throws {
        try await withScript([.silence]) { configuration in
            configuration.silence = .milliseconds(200)
            configuration.retry.attempts = 1000
            configuration.retry.deadline = .seconds(2)
        } _: { store, server in
            let start = ContinuousClock.now
            let error = await storeError { try await store.put(key, [1]) }
            #expect(error?.code == .ambiguous)
            #expect(ContinuousClock.now - start < .seconds(10))
            #expect(server.requests.count > 1)
            #expect(await storeError { _ = try await store.get(key) }?.code == .unreachable)
        }
    }

    @Test("nobody who listens is unreachable: nothing can have been changed")
    func refusedConnection() async throws {
        try await withS3Store(S3Login(port: try freePort())) { store in
            let error = await storeError { try await store.put(key, [1], if: .absent) }
            #expect(error?.code == .unreachable)
            #expect(error?.message.contains("connection refused") == true, "\(String(describing: error))")
        }
    }

    @Test("a body that ends too early is read again, and never handed out")
    func truncated() async throws {
        let head =
            "HTTP/1.1 200 OK\r\nETag: \"t\"\r\nLast-Modified: Sat, 21 Nov 2026 01:00:00 GMT\r\nContent-Length: 5\r\n\r\n"
        let cut = ScriptedHTTP.Step.bytes(Array((head + "ab").utf8))
        let whole = ScriptedHTTP.Step.bytes(Array((head + "abcde").utf8))
        try await withScript([cut, cut, whole]) { store, _ in
            let object = try await store.get(key)
            #expect(object.bytes == Array("abcde".utf8))
        }
        try await withScript([cut]) { store, _ in
            #expect(await storeError { _ = try await store.get(key) }?.code == .corrupt)
        }
    }

    @Test("an answer that is no listing is named, and one without an ETag")
    func garbage() async throws {
        try await withScript([.answer(200, body: "<html>Welcome to the hotel</html>")]) { store, _ in
            let error = await storeError { _ = try await store.list(ListQuery()) }
            #expect(error?.code == .unreachable)
            #expect(error?.message.contains("is it an S3 server?") == true)
            #expect(await storeError { try await store.put(key, [1]) }?.code == .ambiguous)
            #expect(await storeError { _ = try await store.get(key) }?.code == .unreachable)
        }
        try await withScript([.bytes(Array("nonsense\r\n\r\n".utf8))]) { store, _ in
            #expect(await storeError { _ = try await store.list(ListQuery()) }?.isRetriable == true)
        }
    }

    @Test("a huge answer is refused before it is held, also one of unknown length")
    func huge() async throws {
        let claimed = "HTTP/1.1 200 OK\r\nETag: \"t\"\r\nContent-Length: 1000000000000\r\n\r\n"
        try await withScript([.bytes(Array(claimed.utf8))]) { store, _ in
            #expect(await storeError { _ = try await store.get(key) }?.code == .unsupported)
        }
        let open =
            "HTTP/1.1 200 OK\r\nETag: \"t\"\r\nConnection: close\r\n\r\n" + String(repeating: "x", count: 2 << 20)
        try await withScript([.bytes(Array(open.utf8))]) { configuration in
            configuration.maximumAnswer = 1 << 20
        } _: { store, _ in
            #expect(await storeError { _ = try await store.get(key) }?.code == .unsupported)
        }
    }

    @Test("what a listing leaves out can still be read and is still seen by a conditional put")
    func laggingListing() async throws {
        let empty = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
        let server = try ScriptedHTTP { request in
            if request.target.contains("list-type=2") { return .answer(200, body: empty) }
            if request.method == "PUT" { return Self.refusal(412, "PreconditionFailed") }
            return .answer(
                200, headers: [("ETag", "\"t\""), ("Last-Modified", "Sat, 21 Nov 2026 01:00:00 GMT")], body: "new")
        }
        defer { server.close() }
        try await withS3Store(login(server)) { store in
            let page = try await store.list(ListQuery())
            #expect(page.objects.isEmpty)
            #expect(try await store.get(key).bytes == Array("new".utf8))
            #expect(await storeError { try await store.put(key, [1], if: .absent) }?.code == .preconditionFailed)
        }
    }

    @Test("a server that is down for a while is waited for, as long as the policy says")
    func downForAWhile() async throws {
        let port = try freePort()
        let attempts = Atomic(0)
        try await withS3Store(S3Login(port: port)) { configuration in
            // Each attempt is signed with the time.
            configuration.clock = {
                attempts.add(1, ordering: .relaxed)
                return .now
            }
            configuration.retry = RetryPolicy(
                attempts: 1000, firstPause: .milliseconds(20), longestPause: .milliseconds(20), deadline: .seconds(30))
        } _: { store in
            async let tag = store.put(key, [1], if: .absent)
            try await eventually { attempts.load(ordering: .relaxed) > 3 }
            let server = try ScriptedHTTP(port: port) { _ in Self.done }
            defer { server.close() }
            #expect(try await tag.description == "\"t\"")
            #expect(server.requests.count == 1)
        }
    }

    @Test("the parts of a large object are sent, those that fail again, and the condition with the last request")
    func multipart() async throws {
        let counts = Mutex<[String: Int]>([:])
        @Sendable func isFirst(_ what: String) -> Bool {
            counts.withLock { counts in
                counts[what, default: 0] += 1
                return counts[what] == 1
            }
        }
        let server = try ScriptedHTTP { request in
            if request.method == "POST", request.target.hasSuffix("uploads=") {
                return Self.uploadBegun
            }
            if request.method == "PUT" {
                if request.target.contains("partNumber=2"), isFirst("part") { return .reset }
                return .answer(200, headers: [("ETag", "\"\(request.body.first ?? 0)\"")])
            }
            // The error that comes with status 200.
            if isFirst("completion") { return .answer(200, body: "\n <Error><Code>InternalError</Code></Error>") }
            return .answer(
                200, body: "<CompleteMultipartUploadResult><ETag>\"whole-3\"</ETag></CompleteMultipartUploadResult>")
        }
        defer { server.close() }
        try await withS3Store(login(server), configure: Self.useParts) { store in
            let tag = try await store.put(key, [1, 1, 1, 1, 2, 2, 2, 2, 3, 3], if: .absent)
            #expect(tag.description == "\"whole-3\"")
        }
        let parts = server.requests.filter { $0.method == "PUT" }
        #expect(Set(parts.map(\.body)) == [[1, 1, 1, 1], [2, 2, 2, 2], [3, 3]])
        #expect(parts.count == 4)
        #expect(parts.allSatisfy { $0.headers["if-none-match"] == nil })
        let last = try #require(server.requests.last)
        #expect(last.headers["if-none-match"] == "*")
        let body = String(decoding: last.body, as: UTF8.self)
        #expect(body.contains("<Part><PartNumber>3</PartNumber><ETag>\"3\"</ETag></Part>"))
    }

    @Test("an upload that cannot be finished is given up, and its parts with it")
    func abortedMultipart() async throws {
        let server = try ScriptedHTTP { request in
            switch request.method {
            case "POST" where request.target.hasSuffix("uploads="):
                Self.uploadBegun
            case "POST": Self.refusal(412, "PreconditionFailed")
            case "PUT": .answer(200, headers: [("ETag", "\"p\"")])
            default: .answer(204)
            }
        }
        defer { server.close() }
        try await withS3Store(login(server), configure: Self.useParts) { store in
            let error = await storeError { try await store.put(key, [UInt8](repeating: 7, count: 10), if: .absent) }
            #expect(error?.code == .preconditionFailed)
        }
        #expect(server.requests.last?.method == "DELETE")
        #expect(server.requests.last?.target.hasSuffix("?uploadId=u") == true)
    }

    @Test("a conflict behind a last request that may have been carried out does not hide that it may have been")
    func doubtfulCompletion() async throws {
        let completions = Atomic(0)
        let server = try ScriptedHTTP { request in
            switch request.method {
            case "POST" where request.target.hasSuffix("uploads="):
                return Self.uploadBegun
            case "POST":
                switch completions.add(1, ordering: .relaxed).newValue {
                case 1: return Self.refusal(500, "InternalError")
                case 2: return Self.refusal(409, "ConditionalRequestConflict")
                default: return Self.refusal(412, "PreconditionFailed")
                }
            case "PUT": return .answer(200, headers: [("ETag", "\"p\"")])
            default: return .answer(204)
            }
        }
        defer { server.close() }
        try await withS3Store(login(server), configure: Self.useParts) { store in
            let error = await storeError { try await store.put(key, [UInt8](repeating: 7, count: 10), if: .absent) }
            #expect(error?.code == .ambiguous, "\(String(describing: error))")
        }
    }

    @Test("a bucket of another region is told with that region")
    func wrongRegion() async throws {
        let moved = Self.refusal(301, "PermanentRedirect", headers: [("x-amz-bucket-region", "eu-west-1")])
        try await withScript([moved]) { store, _ in
            let error = await storeError { _ = try await store.list(ListQuery()) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("region=eu-west-1") == true)
        }
    }

    @Test("a call that waits ends when its task is cancelled, and one after closing when it is made")
    func cancelledAndClosed() async throws {
        try await withScript([.silence]) { store, server in
            let call = Task { await storeError { _ = try await store.get(key) } }
            try await eventually { !server.requests.isEmpty }
            call.cancel()
            #expect(await call.value?.code == .cancelled)
            await store.close()
            #expect(await storeError { _ = try await store.get(key) }?.code == .closed)
        }
    }

    @Test("a clock that steps once more while it is put right is put right again")
    func steppingClock() async throws {
        let now = try #require(UTCTime("2026-11-21T01:23:45Z"))
        let looks = Atomic(0)
        let server = try ScriptedHTTP { request in
            let isRight = request.headers["x-amz-date"] == "20261121T012345Z"
            return isRight
                ? Self.done
                : Self.refusal(403, "RequestTimeTooSkewed", headers: [("Date", "Sat, 21 Nov 2026 01:23:45 GMT")])
        }
        defer { server.close() }
        try await withS3Store(login(server)) { configuration in
            configuration.clock = {
                // A day ahead at first, and two from the third look on, when the first has been learnt.
                let days: Int64 = looks.add(1, ordering: .relaxed).newValue > 2 ? 2 : 1
                return UTCTime(microseconds: now.microseconds + days * 86_400_000_000)
            }
        } _: { store in
            let tag = try await store.put(key, [1], if: .absent)
            #expect(tag.description == "\"t\"")
        }
        #expect(server.requests.count == 3)
    }

    @Test("a put that waits for its next attempt ends when its task is cancelled")
    func cancelledPause() async throws {
        try await withScript([Self.refusal(503, "SlowDown")]) { configuration in
            configuration.retry = RetryPolicy(
                attempts: 100, firstPause: .seconds(1000), longestPause: .seconds(1000), deadline: .seconds(100_000))
        } _: { store, server in
            let call = Task { await storeError { try await store.put(key, [1], if: .absent) } }
            try await eventually { !server.requests.isEmpty }
            call.cancel()
            #expect(await call.value?.code == .cancelled)
        }
    }
}
