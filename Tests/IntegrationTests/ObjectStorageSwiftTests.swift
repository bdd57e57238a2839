import ObjectStorage
import ObjectStorageConformance
import TestServers
import Testing

@Suite struct ObjectStorageSwiftTests {
    @Test("a container of OpenStack Swift conforms, but for what Swift does not offer")
    func conforms() async throws {
        try await withOpenStackSwift { server in
            let store = try OpenStackSwiftObjectStore(server.configuration)
            for check in ConformanceCheck.all {
                await #expect(throws: Never.self, "\(check)") { try await check(on: store, promises: .flatNames) }
            }
            let found = try await store.conditionalPuts(under: "")
            #expect(found == ConditionalPuts(honoursAbsent: true, honoursMatches: false))
            await store.close()
        }
    }

    @Test("refusals are told by their reasons")
    func refusals() async throws {
        try await withOpenStackSwift { server in
            let key = try ObjectKey("a/b")
            let store = try OpenStackSwiftObjectStore(server.configuration)
            try await store.put(key, Array("text".utf8))

            var unknown = server.configuration
            unknown.token = "AUTH_tk00000000000000000000000000000000"
            var stranger = server.configuration
            stranger.token = try await server.tokenOfStranger()
            for configuration in [unknown, stranger] {
                let denied = try OpenStackSwiftObjectStore(configuration)
                for call in Self.calls(key) {
                    let error = await #expect(throws: ObjectStoreError.self) { try await call(denied) }
                    // Swift closes the connection without reading a body that it refuses. When that takes the first answer
                    // with it, the attempt stays in doubt, and the error tells what the next one was answered.
                    let isDoubtful = error?.code == .ambiguous && error?.message.contains("the token") == true
                    #expect(error?.code == .denied || isDoubtful, "\(error as Any)")
                    #expect(error?.description.contains(configuration.token) == false)
                }
                await denied.close()
            }
            #expect("\(unknown)".contains(unknown.token) == false)

            var elsewhere = server.configuration
            elsewhere.container = "none"
            let missing = try OpenStackSwiftObjectStore(elsewhere)
            for call in Self.calls(key).dropLast() {
                let error = await #expect(throws: ObjectStoreError.self) { try await call(missing) }
                #expect(error?.code == .notFound || error?.code == .ambiguous, "\(error as Any)")
                #expect(error?.message.contains("'none'") == true)
            }
            await missing.close()
            await store.close()
        }
    }

    @Test("objects of others are read, also those of segments, and folders that are objects are left out")
    func foreign() async throws {
        try await withOpenStackSwift { server in
            let store = try OpenStackSwiftObjectStore(server.configuration)
            let container = "\(server.storageURL)/\(server.container)"
            try await store.put(ObjectKey("parts/1"), Array("one ".utf8))
            try await store.put(ObjectKey("parts/2"), Array("two".utf8))
            try await server.curl(
                "-X", "PUT", "-H", "X-Object-Manifest: \(server.container)/parts/", "-H", "Content-Length: 0",
                "\(container)/whole")
            let whole = try await store.get(ObjectKey("whole"))
            #expect(whole.bytes == Array("one two".utf8) && whole.info.size == 7)
            try await server.curl("-X", "PUT", "-d", "", "\(container)/folder/")
            try await server.curl("-X", "PUT", "-d", "theirs", "\(container)/folder/b%20c")
            #expect(try await store.get(ObjectKey("folder/b c")).bytes == Array("theirs".utf8))
            let listed = try await store.list(ListQuery(limit: 1)).objects.map(\.key.description)
            #expect(listed == ["folder/b c"])
            #expect(try await server.curl("\(container)/parts/1").hasSuffix("one "))
            await store.close()
        }
    }

    @Test("a server that is away is unreachable, and a store that was closed says so")
    func away() async throws {
        var configuration = OpenStackSwiftConfiguration(
            storageURL: "http://127.0.0.1:\(try freePort())/v1/AUTH_libra", container: "logs", token: "t")
        configuration.retry = RetryPolicy(attempts: 2, firstPause: .milliseconds(10), deadline: .seconds(5))
        let store = try OpenStackSwiftObjectStore(configuration)
        for call in Self.calls(try ObjectKey("a")) {
            let error = await #expect(throws: ObjectStoreError.self) { try await call(store) }
            #expect(error?.code == .unreachable)
        }
        await store.close()
        let error = await #expect(throws: ObjectStoreError.self) { try await store.head(ObjectKey("a")) }
        #expect(error?.code == .closed)
    }

    private static func calls(
        _ key: ObjectKey
    ) -> [@Sendable (OpenStackSwiftObjectStore) async throws -> Void] {
        [
            { _ = try await $0.get(key) }, { _ = try await $0.head(key) }, { try await $0.put(key, [1]) },
            { try await $0.put(key, [1], if: .absent) }, { _ = try await $0.list(ListQuery()) },
            { try await $0.delete(key) },
        ]
    }
}

extension OpenStackSwiftServer {
    /// How to reach the container, without long waits.
    var configuration: OpenStackSwiftConfiguration {
        var configuration = OpenStackSwiftConfiguration(storageURL: storageURL, container: container, token: token)
        configuration.retry = RetryPolicy(attempts: 3, firstPause: .milliseconds(20), deadline: .seconds(20))
        return configuration
    }
}
