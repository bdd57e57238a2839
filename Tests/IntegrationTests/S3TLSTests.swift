import ObjectStorage
import ObjectStorageConformance
import TestServers
import Testing

/// A store over TLS, and one whose bucket stands in the host's name.
@Suite(.timeLimit(.minutes(3))) struct S3TLSTests {
    /// Without the server's address: a certificate that has it is right for any name which stands for that address.
    private static let names = ["localhost", SeaweedFS.domain, "*.\(SeaweedFS.domain)"].map { "DNS:\($0)" }

    @Test("a store with the server's authority works over TLS, and every wrong certificate is an error at once")
    func certificates() async throws {
        try await withTemporaryFolder { folder in
            let authority = try await TestAuthority(in: folder, name: "ours", names: Self.names)
            let stranger = try await TestAuthority(in: folder, name: "theirs")
            try writeText("no certificate\n", to: "\(folder)/empty.pem")
            try await withSeaweedFS(identity: authority.server) { server in
                func failure(
                    _ endpoint: String, _ authorities: String?, pathStyle: Bool = true
                ) async -> ObjectStoreError? {
                    await storeError {
                        try await withS3Store(server.login) { configuration in
                            configuration.endpoint = endpoint
                            configuration.usesPathStyle = pathStyle
                            configuration.authorityFile = authorities
                            configuration.addresses = ["other.test": "127.0.0.1", "libra.localhost": "127.0.0.1"]
                            // Whoever tries again waits for longer than the test may take.
                            configuration.retry = RetryPolicy(
                                firstPause: .seconds(100_000), longestPause: .seconds(100_000),
                                deadline: .seconds(1_000_000))
                            useParts(&configuration)
                        } _: { store in
                            try await exchangeObjects(with: store)
                        }
                    }
                }
                let ours = authority.certificate
                let local = "https://localhost:\(server.tlsPort)"
                let right = await failure(local, ours)
                #expect(right == nil, "\(String(describing: right))")
                let cases: [(String, ObjectStoreError?, [String])] = [
                    (
                        "a stranger", await failure(local, stranger.certificate),
                        ["no authority trusted here", "cacertfile"]
                    ),
                    ("the system's", await failure(local, nil), ["no authority trusted here", "cacertfile"]),
                    (
                        "another name", await failure("https://other.test:\(server.tlsPort)", ours),
                        ["other.test", "certificate for other names only"]
                    ),
                    (
                        "an address", await failure("https://127.0.0.1:\(server.tlsPort)", ours),
                        ["127.0.0.1", "certificate for other names only"]
                    ),
                    (
                        "a bucket's name", await failure(local, ours, pathStyle: false),
                        [
                            "libra.localhost", "certificate for other names only",
                            "path-style=true asks \(local) instead",
                        ]
                    ),
                    (
                        "no TLS", await failure("https://localhost:\(server.login.port)", ours),
                        ["speaks no TLS at this port"]
                    ),
                ]
                for (name, error, words) in cases {
                    #expect(error?.code == .denied, "\(name): \(String(describing: error))")
                    for part in words + ["put 'a b/c'", "nothing was sent"] {
                        #expect(error?.message.contains(part) == true, "\(name): \(String(describing: error))")
                    }
                }
                for file in ["\(folder)/empty.pem", "/nonexistent.pem"] {
                    let error = await failure(local, file)
                    #expect(error?.code == .invalidArgument)
                    #expect(error?.message.contains("'\(file)'") == true, "\(String(describing: error))")
                }
            }
        }
    }

    @Test("a bucket in the host's name is found there, with TLS and without")
    func hostStyle() async throws {
        try await withTemporaryFolder { folder in
            let authority = try await TestAuthority(in: folder, name: "ours", names: Self.names)
            try await withSeaweedFS(identity: authority.server) { server in
                let login = server.login
                for endpoint in ["http://s3.test:\(login.port)", "https://s3.test:\(server.tlsPort)"] {
                    try await withHostStyle(login, endpoint, authority.certificate) { store in
                        try await exchangeObjects(with: store)
                        for check in ConformanceCheck.all {
                            try await check(on: store, promises: [.oneWinner, .ifMatch])
                        }
                    }
                }
            }
        }
    }

    @Test("a bucket in the host's name is found there on moto too")
    func hostStyleOfMoto() async throws {
        try await withTemporaryFolder { folder in
            let server = try await MotoServer.start(in: folder)
            try await withHostStyle(server.login, "http://s3.test:\(server.login.port)", nil) { store in
                try await exchangeObjects(with: store)
            }
            await server.stop()
        }
    }

    /// A store that can reach its server by no name but the bucket's.
    private func withHostStyle(
        _ login: S3Login, _ endpoint: String, _ authorities: String?,
        isolation: isolated (any Actor)? = #isolation, _ body: (S3ObjectStore) async throws -> Void
    ) async throws {
        let key = try ObjectKey("in the bucket")
        try await withS3Store(login) { configuration in
            configuration.endpoint = endpoint
            configuration.usesPathStyle = false
            configuration.authorityFile = authorities
            configuration.addresses = ["libra.s3.test": "127.0.0.1"]
            useParts(&configuration)
        } _: { store in
            try await body(store)
            try await store.put(key, Array(endpoint.utf8))
        }
        // It is the same bucket by its path.
        try await withS3Store(login) { store in
            let object = try await store.get(key)
            #expect(object.bytes == Array(endpoint.utf8))
        }
    }

    private func exchangeObjects(with store: S3ObjectStore) async throws {
        let key = try ObjectKey("a b/c")
        // The last one goes in two parts.
        for size in [0, 1000, 6 << 20] {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let tag = try await store.put(key, bytes)
            let object = try await store.get(key)
            #expect(object.bytes == bytes)
            #expect(object.info.tag == tag)
        }
        #expect(try await store.get(key, range: 7..<9).bytes == [49, 56])
        #expect(try await store.list(ListQuery(prefix: "a b/")).objects.map(\.key) == [key])
        try await store.delete(key)
        #expect(try await store.list(ListQuery(prefix: "a b/")).objects.isEmpty)
    }
}

/// Has objects of 5 MiB or more uploaded in parts of 5 MiB.
private func useParts(_ configuration: inout S3Configuration) {
    configuration.multipartThreshold = 5 << 20
    configuration.partSize = 5 << 20
}
