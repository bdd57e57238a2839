/// A certificate authority with two ends: certificates that a TLS test needs, in PEM files.
public struct TestAuthority: Sendable {
    /// The files of one certificate.
    public struct Identity: Sendable {
        /// The path of the certificate.
        public let certificate: String
        /// The path of its private key.
        public let key: String
    }

    /// The path of the authority's own certificate.
    public let certificate: String
    /// A certificate for a server.
    public let server: Identity
    /// A certificate for a client.
    public let client: Identity

    /// Makes an authority and its certificates with openssl.
    ///
    /// - Parameters:
    ///   - folder: Where the files go.
    ///   - name: What tells them from those of other authorities.
    ///   - names: What the server's certificate is for.
    /// - Throws: ``TestServerError`` when openssl fails.
    public init(
        in folder: String, name: String, names: [String] = ["DNS:localhost", "IP:127.0.0.1"]
    ) async throws {
        let base = "\(folder)/\(name)"
        certificate = "\(base)-ca.pem"
        server = Identity(certificate: "\(base)-server.pem", key: "\(base)-server.key")
        client = Identity(certificate: "\(base)-client.pem", key: "\(base)-client.key")
        try await openssl([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name) authority",
            "-keyout", "\(base)-ca.key", "-out", certificate,
        ])
        try writeText("subjectAltName=\(names.joined(separator: ","))\n", to: "\(base)-server.ext")
        try writeText("extendedKeyUsage=clientAuth\n", to: "\(base)-client.ext")
        for (identity, role) in [(server, "server"), (client, "client")] {
            try await openssl([
                "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=\(name) \(role)", "-keyout", identity.key,
                "-out", "\(base)-\(role).csr",
            ])
            try await openssl([
                "x509", "-req", "-days", "2", "-in", "\(base)-\(role).csr", "-CA", certificate,
                "-CAkey", "\(base)-ca.key", "-CAcreateserial", "-extfile", "\(base)-\(role).ext",
                "-out", identity.certificate,
            ])
        }
    }

    private func openssl(_ arguments: [String]) async throws {
        let (code, output) = try await run("openssl", arguments)
        guard code == 0 else { throw TestServerError("openssl \(arguments[0]): \(output)") }
    }
}

/// A running stunnel with one service.
public final class Stunnel: Sendable {
    /// The loopback port where it listens.
    public let port: Int
    private let child: ChildProcess

    /// What it wrote.
    public var output: String { child.output }

    private init(port: Int, child: ChildProcess) {
        self.port = port
        self.child = child
    }

    /// Starts stunnel and waits until it listens.
    ///
    /// - Parameters:
    ///   - folder: Where it may write.
    ///   - target: The loopback port to which it carries connections.
    ///   - lines: The rest of the service's section, such as `client = yes`.
    /// - Returns: The running stunnel; it ends with the test process at the latest.
    /// - Throws: ``TestServerError`` when it cannot be started.
    public static func start(in folder: String, to target: Int, _ lines: [String]) async throws -> Stunnel {
        let port = try freePort()
        let file = "\(folder)/stunnel-\(port).conf"
        let head = ["foreground = yes", "pid =", "[gearman]", "accept = 127.0.0.1:\(port)"]
        try writeText((head + ["connect = 127.0.0.1:\(target)"] + lines).map { $0 + "\n" }.joined(), to: file)
        let child = try await ChildProcess.start("stunnel4", [file], in: folder)
        try await eventually("stunnel on port \(port); its output: \(child.output)") {
            // A connection to see whether it listens would be carried on.
            child.output.contains("Configuration successful") && readText("/proc/net/tcp").contains(hexadecimal(port))
        }
        return Stunnel(port: port, child: child)
    }

    /// Ends it.
    public func stop() async { await child.stop() }

    private static func hexadecimal(_ port: Int) -> String {
        let digits = String(port, radix: 16, uppercase: true)
        return ":" + String(repeating: "0", count: 4 - digits.count) + digits + " "
    }
}
