import ObjectStorage
import TestServers
import Testing

/// Temporary credentials, as a server gives them that checks all three parts.
@Suite(.timeLimit(.minutes(2))) struct S3SessionTokenTests {
    @Test("temporary credentials do what their role may, and without their token, or with another, they are denied")
    func temporaryCredentials() async throws {
        try await withTemporaryFolder { folder in
            let server = try await MotoServer.start(in: folder)
            let login = try await server.temporaryLogin(in: folder)
            let key = try ObjectKey("a b/c+d")
            try await withS3Store(login) { store in
                let tag = try await store.put(key, [1, 2, 3], if: .absent)
                #expect(try await store.get(key).bytes == [1, 2, 3])
                #expect(try await store.head(key).tag == tag)
                #expect(try await store.list(ListQuery(prefix: "a b/")).objects.map(\.key) == [key])
            }
            for (login, words) in [
                (login.with(token: nil), "does not know the access key '\(login.accessKeyID)'"),
                (login.with(token: nil), "give the session token too"),
                (login.with(token: "hush-wrong"), "not to be that of the access key '\(login.accessKeyID)'"),
                (server.login.with(token: login.sessionToken), "check AWS_SESSION_TOKEN"),
            ] {
                try await withS3Store(login) { store in
                    for error in [
                        await storeError { try await store.put(key, [4]) },
                        await storeError { _ = try await store.get(key) },
                        await storeError { _ = try await store.list(ListQuery()) },
                    ] {
                        #expect(error?.code == .denied)
                        #expect(error?.message.contains(words) == true, "\(String(describing: error))")
                        #expect(error.map { "\($0)".contains("hush") } == false)
                    }
                    #expect(await storeError { _ = try await store.head(key) }?.code == .denied)
                }
            }
            try await withS3Store(login) { store in
                #expect(try await store.get(key).bytes == [1, 2, 3])
                try await store.delete(key)
                #expect(await storeError { _ = try await store.get(key) }?.code == .notFound)
            }
            await server.stop()
        }
    }

    @Test("a new token in the credentials file is taken by a store that runs, once the server refuses the one before")
    func newToken() async throws {
        try await withTemporaryFolder { folder in
            let server = try await MotoServer.start(in: folder)
            let login = try await server.temporaryLogin(in: folder)
            let (file, key) = ("\(folder)/credentials", try ObjectKey("a"))
            func write(token: String) throws {
                try writeText(
                    """
                    [role]
                    aws_access_key_id = \(login.accessKeyID)
                    aws_secret_access_key = \(login.secretAccessKey)
                    aws_session_token = \(token)
                    """, to: file, mode: 0o600)
            }
            try write(token: "old")
            try await withS3Store(login) { configuration in
                configuration.credentials = .file(path: file, profile: "role")
            } _: { store in
                #expect(await storeError { try await store.put(key, [1]) }?.code == .denied)
                try write(token: try #require(login.sessionToken))
                // The refusal of a HEAD has no code.
                #expect(await storeError { _ = try await store.head(key) }?.code == .notFound)
                try await store.put(key, [1])
                #expect(try await store.get(key).bytes == [1])
            }
            await server.stop()
        }
    }
}

extension S3Login {
    /// The same key with another token, or none.
    fileprivate func with(token: String?) -> S3Login {
        S3Login(port: port, accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: token)
    }
}
