import CivilTime
import Logging
import ObjectStorage
import TestServers

/// A store on a test server, which is closed after `body`, also when that throws.
func withS3Store<Value>(
    _ login: S3Login, port: Int? = nil, bucket: String? = nil, secret: String? = nil,
    configure: (inout S3Configuration) -> Void = { _ in },
    isolation: isolated (any Actor)? = #isolation, _ body: (S3ObjectStore) async throws -> Value
) async throws -> Value {
    var configuration = S3Configuration(
        bucket: bucket ?? login.bucket, endpoint: "http://127.0.0.1:\(port ?? login.port)", usesPathStyle: true,
        credentials: .fixed(
            S3Credentials(
                accessKeyID: login.accessKeyID, secretAccessKey: secret ?? login.secretAccessKey,
                sessionToken: login.sessionToken)))
    // Short pauses, so that tests do not wait long.
    configuration.retry = RetryPolicy(
        attempts: 4, firstPause: .milliseconds(10), longestPause: .milliseconds(100), deadline: .seconds(30))
    configure(&configuration)
    let store = try S3ObjectStore(configuration, logger: quietLogger)
    do {
        let value = try await body(store)
        await store.close()
        return value
    } catch {
        await store.close()
        throw error
    }
}

/// The error of a store, if `body` throws one.
func storeError(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
) async -> ObjectStoreError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? ObjectStoreError
    }
}

/// A login for a ``ScriptedHTTP``, which does not check it.
func login(_ server: ScriptedHTTP) -> S3Login { S3Login(port: server.port) }
