import DedicatedThread
import Synchronization

/// A SeaweedFS on free loopback ports, with its S3 gateway and all that it keeps in a folder.
///
/// It checks signatures and honours conditional puts. It needs about three seconds to start, and 170 MB.
public final class SeaweedFS: Sendable {
    /// Where its S3 gateway is.
    public let login: S3Login
    /// The gateway's port for TLS; zero without TLS.
    public let tlsPort: Int
    /// The domain in which each bucket is a host: `libra.s3.test` is the bucket `libra`.
    public static let domain = "s3.test"
    private let folder: String
    private let program: String
    private let arguments: [String]
    private let filerPort: Int
    private let child = Mutex<ChildProcess?>(nil)

    /// Starts a server and waits until it serves a bucket.
    ///
    /// - Parameter folder: Where it keeps everything.
    /// - Returns: The running server; it ends with the test process at the latest.
    /// - Throws: ``TestServerError`` when it cannot be started.
    public static func start(in folder: String) async throws -> SeaweedFS { try await start(in: folder, identity: nil) }

    fileprivate static func start(
        in folder: String, identity: TestAuthority.Identity?
    ) async throws -> SeaweedFS {
        let server = try SeaweedFS(in: folder, identity: identity)
        try await server.start()
        return server
    }

    private init(in folder: String, identity: TestAuthority.Identity?) throws {
        self.folder = folder
        program = try PythonPackages.program("weed")
        let ports = try freePorts(identity == nil ? 8 : 9)
        login = S3Login(port: ports[0])
        filerPort = ports[1]
        tlsPort = identity == nil ? 0 : ports[8]
        try writeText(
            """
            {"identities": [{"name": "libra", "actions": ["Admin", "Read", "Write", "List"], "credentials": [
            {"accessKey": "\(login.accessKeyID)", "secretKey": "\(login.secretAccessKey)"}]}]}
            """, to: "\(folder)/s3.json", mode: 0o600)
        let options: KeyValuePairs = [
            "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "dir": folder, "volume.max": "100", "metricsPort": "0",
            "master.port": "\(ports[2])", "master.port.grpc": "\(ports[3])", "master.telemetry": "false",
            "master.volumeSizeLimitMB": "64", "volume.port": "\(ports[4])", "volume.port.grpc": "\(ports[5])",
            "filer": "true", "filer.port": "\(ports[1])", "filer.port.grpc": "\(ports[6])",
            "filer.localSocket": "\(folder)/filer.sock", "s3": "true", "s3.port": "\(ports[0])",
            "s3.port.grpc": "\(ports[7])", "s3.port.iceberg": "0", "s3.port.lance": "0",
            "s3.localSocket": "\(folder)/s3.sock", "s3.config": "\(folder)/s3.json", "s3.iam": "false",
            "s3.autoCreateBucket": "false", "s3.domainName": Self.domain,
        ]
        let tls: KeyValuePairs = [
            "s3.port.https": "\(tlsPort)", "s3.cert.file": identity?.certificate ?? "",
            "s3.key.file": identity?.key ?? "",
        ]
        arguments =
            ["-logtostderr=true", "server"]
            + (Array(options) + (identity == nil ? [] : Array(tls))).map { "-\($0.key)=\($0.value)" }
    }

    /// Starts it again after ``kill()``, with what it had on disk.
    public func start() async throws {
        let started = try await ChildProcess.start(program, arguments, environment: ["HOME": folder], in: folder)
        child.withLock { $0 = started }
        try await eventually(within: .seconds(60), "SeaweedFS on port \(login.port)") {
            guard started.isRunning else { throw TestServerError("weed has ended: \(started.output)") }
            guard accepts(port: login.port), tlsPort == 0 || accepts(port: tlsPort) else { return false }
            return await makeBucket()
        }
    }

    /// Kills it, as a power failure would.
    public func kill() async { await child.withLock { $0 }?.kill() }

    /// A folder under `/buckets` of the filer is a bucket.
    private func makeBucket() async -> Bool {
        let answer = await exchangeHTTP(
            "POST /buckets/\(login.bucket)/ HTTP/1.0\r\nHost: filer\r\nContent-Length: 0\r\n\r\n", port: filerPort)
        // Conflict: it is there already.
        return answer.map { 200...299 ~= $0.status || $0.status == 409 } ?? false
    }
}

extension SeaweedFS: PooledServer {
    /// Empties the bucket of a server that runs.
    func fresh() async throws -> SeaweedFS {
        let answer = await exchangeHTTP(
            "DELETE /buckets/\(login.bucket)/?recursive=true HTTP/1.0\r\nHost: filer\r\n\r\n", port: filerPort)
        guard let answer, 200...299 ~= answer.status, await makeBucket() else {
            throw TestServerError("cannot empty the bucket of \(login.endpoint)")
        }
        return self
    }

    func end() async { await kill() }

    func killAtExit() { child.withLock { $0 }?.killAtExit() }

    fileprivate static let pool = ServerPool<SeaweedFS>()
}

/// Gives a SeaweedFS with an empty bucket to `body`, for it alone.
///
/// It is handed on to the next test; one whose test threw, or that was killed and not started again, is not.
public func withSeaweedFS<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: (SeaweedFS) async throws -> Value
) async throws -> Value {
    try await SeaweedFS.pool.with(body)
}

/// Starts a SeaweedFS with a TLS port, and ends it after `body`, also when that throws.
public func withSeaweedFS<Value>(
    identity: TestAuthority.Identity, isolation: isolated (any Actor)? = #isolation,
    _ body: (SeaweedFS) async throws -> Value
) async throws -> Value {
    try await withTemporaryFolder { folder in
        let server = try await SeaweedFS.start(in: folder, identity: identity)
        do {
            let value = try await body(server)
            await server.kill()
            return value
        } catch {
            await server.kill()
            throw error
        }
    }
}
