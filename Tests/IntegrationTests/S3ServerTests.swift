import CivilTime
import ObjectStorage
import ObjectStorageConformance
import Synchronization
import TestServers
import Testing

/// A store on real servers with S3's protocol.
@Suite(.timeLimit(.minutes(4))) struct S3ServerTests {
    /// SeaweedFS keeps keys as paths of a file system: `a/b` is listed before `a.b`, and `\` is taken for `/`.
    @Test("a store on SeaweedFS conforms, and its conditional puts are found to be honoured")
    func conformanceOfSeaweedFS() async throws {
        try await withSeaweedFS { server in try await checkConformance(server.login, promises: [.oneWinner, .ifMatch]) }
    }

    /// moto looks at the condition first and writes afterwards, so that of racing puts several win.
    @Test("a store on moto conforms, and its conditional puts are found to be honoured")
    func conformanceOfMoto() async throws {
        try await withTemporaryFolder { folder in
            let server = try await MotoServer.start(in: folder)
            try await checkConformance(server.login, promises: [.ifMatch, .flatNames])
            await server.stop()
        }
    }

    private func checkConformance(_ login: S3Login, promises: StorePromises) async throws {
        try await withS3Store(login) { store in
            let found = try await store.conditionalPuts(under: "")
            #expect(found == ConditionalPuts(honoursAbsent: true, honoursMatches: true))
            for check in ConformanceCheck.all {
                do {
                    try await check(on: store, promises: promises)
                } catch {
                    Issue.record("\(check): \(error)")
                }
            }
        }
    }

    @Test("rclone, which ignores conditions, is refused where they are needed")
    func preflight() async throws {
        try await withTemporaryFolder { folder in
            let server = try await RcloneS3.start(in: folder)
            try await withS3Store(server.login) { store in
                let found = try await store.conditionalPuts(under: "")
                #expect(found == ConditionalPuts(honoursAbsent: false, honoursMatches: false))
                let error = await storeError {
                    try await store.requireConditionalPuts(for: "the ordered layout", under: "")
                }
                #expect(error?.code == .unsupported)
            }
            await server.stop()
        }
    }

    /// Keys with what has to be encoded somewhere, or means something to somebody.
    private static let oddKeys = [
        "plain", "a b/c+d&e=f;g", "ü/日本語/🙂", "100%/%41/~tilde", "q?u#e\"r'y<x>", "dots/.hidden/..two/three...",
        "under_score-and(parens)*!$@:,", "log/00000000000000000001",
    ]

    @Test("SeaweedFS: wrong keys, a wrong bucket and a clock that is an hour off are told, or put right")
    func refusalsOfSeaweedFS() async throws {
        try await withSeaweedFS { server in try await checkRefusals(server.login, hasClock: true) }
    }

    @Test("moto: wrong keys and a wrong bucket are told")
    func refusalsOfMoto() async throws {
        try await withTemporaryFolder { folder in
            let server = try await MotoServer.start(in: folder)
            try await checkRefusals(server.login, hasClock: false)
            await server.stop()
        }
    }

    private func checkRefusals(_ login: S3Login, hasClock: Bool) async throws {
        let key = try ObjectKey("a")
        try await withS3Store(login, secret: "hush-wrong") { store in
            let error = await storeError { try await store.put(key, [1]) }
            #expect(error?.code == .denied)
            #expect(
                error?.message.contains("the secret key is not that of the access key '\(login.accessKeyID)'") == true)
            #expect(error.map { "\($0)".contains("hush") } == false)
            #expect(await storeError { _ = try await store.head(key) }?.code == .denied)
        }
        try await withS3Store(S3Login(port: login.port, accessKeyID: "AKIAUNKNOWN")) { store in
            let error = await storeError { _ = try await store.list(ListQuery()) }
            #expect(error?.code == .denied)
            #expect(error?.message.contains("does not know the access key 'AKIAUNKNOWN'") == true)
        }
        try await withS3Store(login, bucket: "nowhere") { store in
            for error in [
                await storeError { _ = try await store.list(ListQuery()) },
                await storeError { try await store.put(key, [1], if: .absent) },
                await storeError { _ = try await store.get(key) },
            ] {
                #expect(error?.code == .notFound)
                #expect(error?.message.contains("no bucket 'nowhere'") == true, "\(String(describing: error))")
            }
        }
        guard hasClock else { return }
        for hours in [-1, 1] as [Int64] {
            try await withS3Store(login) { configuration in
                configuration.clock = { UTCTime(microseconds: UTCTime.now.microseconds + hours * 3_600_000_000) }
            } _: { store in
                // The first request of all may be a HEAD, whose refusal has no code.
                #expect(await storeError { _ = try await store.head(key) }?.code == .notFound)
                try await store.put(key, [1])
                #expect(try await store.get(key).bytes == [1])
                try await store.delete(key)
            }
        }
        // A clock that jumps by hours with each look cannot be put right.
        let jumps = Mutex<Int64>(0)
        try await withS3Store(login) { configuration in
            configuration.clock = {
                let jump = jumps.withLock { jumps in
                    jumps += 1
                    return jumps
                }
                return UTCTime(microseconds: UTCTime.now.microseconds + jump * 3_600_000_000)
            }
        } _: { store in
            let error = await storeError { _ = try await store.list(ListQuery()) }
            #expect(error?.code == .denied)
            #expect(error?.message.contains("set both by NTP") == true, "\(String(describing: error))")
        }
    }

    @Test("boto3 and the AWS command line read what is written here, and the other way round, whatever the key")
    func foreignPeers() async throws {
        try await withSeaweedFS { server in
            try await withTemporaryFolder { folder in try await checkForeignPeers(server.login, in: folder) }
        }
    }

    private func checkForeignPeers(_ login: S3Login, in folder: String) async throws {
        try await withS3Store(login) { store in
            var large = [UInt8](0..<251)
            for _ in 0..<17 { large += large }
            for (index, name) in Self.oddKeys.enumerated() {
                try await store.put(try ObjectKey("ours/\(name)"), Array("body \(index)".utf8), if: .absent)
            }
            let largeTag = try await store.put(try ObjectKey("ours/large"), large, if: .absent)
            #expect(largeTag.description.hasSuffix("-4\""), "in four parts: \(largeTag)")
            let again = await storeError { try await store.put(try ObjectKey("ours/large"), large, if: .absent) }
            #expect(again?.code == .preconditionFailed)

            let names = "[\(Self.oddKeys.map { "\"\($0.replacing("\"", with: "\\\""))\"" }.joined(separator: ", "))]"
            try await login.boto3(
                """
                names = \(names)
                for index, name in enumerate(names):
                    body = s3.get_object(Bucket=bucket, Key="ours/" + name)["Body"].read()
                    assert body == b"body %d" % index, (name, body)
                    s3.put_object(Bucket=bucket, Key="theirs/" + name, Body=b"from boto3 %d" % index)
                large = s3.get_object(Bucket=bucket, Key="ours/large")["Body"].read()
                assert large == bytes(range(251)) * (1 << 17), len(large)
                """, in: folder)
            for (index, name) in Self.oddKeys.enumerated() {
                let object = try await store.get(try ObjectKey("theirs/\(name)"))
                #expect(String(decoding: object.bytes, as: UTF8.self) == "from boto3 \(index)")
            }
            let listed = try await store.list(ListQuery(prefix: "theirs/")).objects.map(\.key.description)
            #expect(Set(listed) == Set(Self.oddKeys.map { "theirs/\($0)" }))

            try await login.aws("s3", "cp", "s3://\(login.bucket)/ours/ü/日本語/🙂", "\(folder)/copy")
            #expect(readText("\(folder)/copy") == "body 2")
            try writeText("from the command line", to: "\(folder)/line")
            try await login.aws("s3", "cp", "\(folder)/line", "s3://\(login.bucket)/line/a b+ü")
            let line = try await store.get(try ObjectKey("line/a b+ü"))
            #expect(String(decoding: line.bytes, as: UTF8.self) == "from the command line")
            #expect(try await login.aws("s3", "ls", "s3://\(login.bucket)/ours/").contains("large"))
        }
    }

    @Test("a put that happened although the answer was lost is ambiguous with a condition, and done without one")
    func lostAnswer() async throws {
        try await withSeaweedFS { server in
            for resets in [true, false] {
                let proxy = try ScriptedHTTP(to: server.login.port) { request in
                    request.method == "PUT" && request.number == 1 ? .forwardInVain(resets: resets) : .forward
                }
                defer { proxy.close() }
                let key = try ObjectKey("lost/\(resets)")
                try await withS3Store(server.login, port: proxy.port) { configuration in
                    configuration.silence = .milliseconds(500)
                } _: { store in
                    let error = await storeError { try await store.put(key, [1, 2, 3], if: .absent) }
                    #expect(error?.code == .ambiguous, "\(String(describing: error))")
                    // The attempt without an answer may still be under way.
                    try await eventually("the object") { (try? await store.get(key))?.bytes == [1, 2, 3] }
                }
                let unconditional = try ObjectKey("lost/\(resets)/always")
                let second = try ScriptedHTTP(to: server.login.port) { request in
                    request.number == 1 ? .forwardInVain(resets: resets) : .forward
                }
                defer { second.close() }
                try await withS3Store(server.login, port: second.port) { configuration in
                    configuration.silence = .milliseconds(500)
                    // The server, too, may be silent for a while.
                    configuration.retry.attempts = 40
                } _: { store in
                    let tag = try await store.put(unconditional, [4])
                    #expect(try await store.head(unconditional).tag == tag)
                }
            }
        }
    }

    @Test("a server that is killed and comes back is waited for, and has what it had")
    func outage() async throws {
        try await withSeaweedFS { server in
            let key = try ObjectKey("kept")
            try await withS3Store(server.login) { configuration in
                configuration.retry = RetryPolicy(
                    attempts: 1000, firstPause: .milliseconds(50), longestPause: .milliseconds(100),
                    deadline: .seconds(60))
            } _: { store in
                let tag = try await store.put(key, [1, 2, 3], if: .absent)
                await server.kill()
                async let object = store.get(key)
                try await server.start()
                let found = try await object
                #expect(found.bytes == [1, 2, 3])
                #expect(found.info.tag == tag)
            }
        }
    }
}
