import CivilTime
import ObjectStorage
import TestServers
import Testing

@Suite struct ObjectStorageSwiftFaultTests {
    /// `text` has this MD5 (`printf text | md5sum`).
    private static let digest = "1cb251ec0d568de6a929b520c4aed8d1"
    private let key: ObjectKey

    init() throws { key = try ObjectKey("a b/%") }

    @Test("what is put carries its MD5 and the token, and another MD5 in the answer is an error")
    func putChecked() async throws {
        try await withSwift({ _ in .answer(201, headers: [("Etag", Self.digest)]) }) { store, server in
            let tag = try await store.put(key, Array("text".utf8), if: .absent)
            #expect(tag == EntityTag(Self.digest))
            let request = try #require(server.requests.first)
            #expect(request.method == "PUT" && request.target == "/v1/AUTH_a/logs/a%20b/%25")
            #expect(request.headers["etag"] == Self.digest && request.headers["x-auth-token"] == "t0ken")
            #expect(request.headers["if-none-match"] == "*" && request.body == Array("text".utf8))
            #expect(await code { try await store.put(key, Array("other".utf8)) } == .corrupt)
        }
    }

    @Test("what comes is compared with the object's MD5, unless it is of segments")
    func getChecked() async throws {
        let answers: [ScriptedHTTP.Step] = [
            .answer(200, headers: [("Etag", Self.digest), ("X-Timestamp", "1796049256.62757")], body: "text"),
            .answer(200, headers: [("Etag", Self.digest), ("X-Timestamp", "1796049256.62757")], body: "tex7"),
            .answer(
                200,
                headers: [
                    ("Etag", "\"00\""), ("X-Timestamp", "1796049256.62757"), ("X-Static-Large-Object", "True"),
                ], body: "text"),
        ]
        try await withSwift({ answers[min($0.number, answers.count) - 1] }) { store, _ in
            let object = try await store.get(key)
            #expect(object.info.tag == EntityTag(Self.digest) && object.bytes == Array("text".utf8))
            #expect(object.info.modified.microseconds == 1_796_049_256_627_570)
            #expect(await code { _ = try await store.get(key) } == .corrupt)
            #expect(try await store.get(key).info.tag == EntityTag("00"))
        }
    }

    @Test("a put whose answer was lost is tried again, and a refusal of that is no proof that another one won")
    func lostAnswer() async throws {
        try await withSwift({ $0.number == 1 ? .reset : .answer(412) }) { store, server in
            #expect(await code { try await store.put(key, [1], if: .absent) } == .ambiguous)
            #expect(server.requests.count == 2)
        }
        try await withSwift({ $0.number == 1 ? .reset : .answer(201, headers: [("Etag", Self.digest)]) }) { store, _ in
            let tag = try await store.put(key, Array("text".utf8), if: .absent)
            #expect(tag == EntityTag(Self.digest))
        }
        try await withSwift({ _ in .answer(412) }) { store, server in
            #expect(await code { try await store.put(key, [1], if: .absent) } == .preconditionFailed)
            #expect(server.requests.count == 1)
        }
    }

    @Test(
        "a status is told by its meaning, and tried again where that can help",
        arguments: [
            (503, ObjectStoreError.Code.throttled, ObjectStoreError.Code.throttled, 3),
            (429, .throttled, .throttled, 3),
            (500, .ambiguous, .unreachable, 3), (401, .denied, .denied, 1), (403, .denied, .denied, 1),
            (413, .full, .full, 1), (507, .full, .full, 1), (418, .systemError, .systemError, 1),
        ])
    func statuses(
        status: Int, ofPut: ObjectStoreError.Code, ofGet: ObjectStoreError.Code, attempts: Int
    ) async throws {
        try await withSwift({ _ in .answer(status) }) { store, server in
            #expect(await code { try await store.put(key, [1]) } == ofPut)
            #expect(server.requests.count == attempts)
            #expect(await code { _ = try await store.get(key) } == ofGet)
            #expect(server.requests.count == 2 * attempts)
        }
    }

    @Test("answers of a server that is no OpenStack Swift are found out")
    func otherServer() async throws {
        try await withSwift({ _ in .answer(200, body: "<html>Welcome</html>") }) { store, _ in
            #expect(await code { _ = try await store.list(ListQuery()) } == .unreachable)
            #expect(await code { _ = try await store.head(key) } == .unreachable)
            #expect(await code { _ = try await store.get(key) } == .unreachable)
            #expect(await code { try await store.put(key, [1]) } == .ambiguous)
        }
    }

    private func code(of call: () async throws -> Void) async -> ObjectStoreError.Code? {
        do {
            try await call()
            return nil
        } catch {
            return (error as? ObjectStoreError)?.code
        }
    }

    private func withSwift(
        _ script: @escaping @Sendable (ScriptedHTTP.Request) -> ScriptedHTTP.Step,
        _ body: (OpenStackSwiftObjectStore, ScriptedHTTP) async throws -> Void
    ) async throws {
        let server = try ScriptedHTTP(script)
        defer { server.close() }
        var configuration = OpenStackSwiftConfiguration(
            storageURL: "http://127.0.0.1:\(server.port)/v1/AUTH_a", container: "logs", token: "t0ken")
        configuration.retry = RetryPolicy(attempts: 3, firstPause: .milliseconds(5), deadline: .seconds(10))
        let store = try OpenStackSwiftObjectStore(configuration)
        try await body(store, server)
        await store.close()
    }
}
