import Gearman
import TestServers
import Testing

/// The recipes of docs/tls.md.
@Suite(.timeLimit(.minutes(2))) struct GearmanTLSTests {
    @Test("TLS options without TLS in libgearman are an error that names the recipe")
    func unavailable() throws {
        let files = TLSOptions(authorityFile: "/ca.pem", certificateFile: "/me.pem", keyFile: "/me.key")
        let server = try JobServer("localhost")
        let errors: [GearmanError] = [
            failure { () throws(GearmanError) in
                _ = try Worker(
                    function: "f", servers: [server], tls: files, logger: quietLogger, handler: { _ in .fail })
            },
            failure { () throws(GearmanError) in _ = try Client(servers: [server], tls: files) },
            failure { () throws(GearmanError) in _ = try Admin(server: server, tls: files) },
        ].compactMap { $0 }
        #expect(errors.count == 3)
        for error in errors {
            #expect(error.code == .tlsUnavailable)
            #expect(error.message.contains("stunnel"))
            #expect(error.message.contains("docs/tls.md"))
        }
    }

    @Test("a plain gearmand behind stunnel serves who has a certificate, and nobody else")
    func plainServer() async throws {
        try await withGearmanServer { server in
            try await withTemporaryFolder { folder in
                let authority = try await TestAuthority(in: folder, name: "ours")
                let stranger = try await TestAuthority(in: folder, name: "theirs")
                let serverSide = try await Stunnel.start(in: folder, to: server.port, serverLines(authority))
                let ours = try await Stunnel.start(
                    in: folder, to: serverSide.port, clientLines(authority, with: authority.client))
                try await checkService(through: ours.port)

                let wrong = try await Stunnel.start(
                    in: folder, to: serverSide.port, clientLines(authority, with: stranger.client))
                let none = try await Stunnel.start(in: folder, to: serverSide.port, clientLines(authority, with: nil))
                for tunnel in [wrong, none] {
                    try await checkRefusal(through: tunnel.port)
                    await tunnel.stop()
                }
                await ours.stop()
                await serverSide.stop()
            }
        }
    }

    @Test("gearmand --ssl is served through stunnel; one that ignores the option, as Debian's does, is refused by it")
    func tlsServer() async throws {
        try await withTemporaryFolder { folder in
            let authority = try await TestAuthority(in: folder, name: "ours")
            let stranger = try await TestAuthority(in: folder, name: "theirs")
            let arguments = [
                "--ssl", "--ssl-ca-file", authority.certificate, "--ssl-certificate", authority.server.certificate,
                "--ssl-key", authority.server.key,
            ]
            try await withGearmanServer(arguments: arguments) { server in
                let isPlain = (try? await Admin(server: local(server.port)).version()) != nil
                let ours = try await Stunnel.start(
                    in: folder, to: server.port, clientLines(authority, with: authority.client))
                if isPlain {
                    try await checkRefusal(through: ours.port)
                } else {
                    try await checkService(through: ours.port)
                }
                let theirs = try await Stunnel.start(
                    in: folder, to: server.port, clientLines(stranger, with: stranger.client))
                try await checkRefusal(through: theirs.port)
                await ours.stop()
                await theirs.stop()
            }
        }
    }

    @Test("a job server that cannot prove its name or its authority is refused")
    func falseServer() async throws {
        try await withGearmanServer { server in
            try await withTemporaryFolder { folder in
                let authority = try await TestAuthority(in: folder, name: "ours")
                let stranger = try await TestAuthority(in: folder, name: "theirs")
                let serverSide = try await Stunnel.start(in: folder, to: server.port, serverLines(authority))
                let otherAuthority = clientLines(stranger, with: stranger.client)
                let otherName = clientLines(authority, with: authority.client).map {
                    $0 == "checkHost = localhost" ? "checkHost = gear2.example" : $0
                }
                for lines in [otherAuthority, otherName] {
                    let tunnel = try await Stunnel.start(in: folder, to: serverSide.port, lines)
                    try await checkRefusal(through: tunnel.port)
                    await tunnel.stop()
                }
                await serverSide.stop()
            }
        }
    }

    /// On the job server's host.
    private func serverLines(_ authority: TestAuthority) -> [String] {
        [
            "cert = \(authority.server.certificate)", "key = \(authority.server.key)",
            "CAfile = \(authority.certificate)", "verifyChain = yes", "sslVersionMin = TLSv1.2",
        ]
    }

    /// On the host of a worker or client.
    private func clientLines(_ authority: TestAuthority, with identity: TestAuthority.Identity?) -> [String] {
        [
            "client = yes", "CAfile = \(authority.certificate)", "verifyChain = yes", "checkHost = localhost",
            "sslVersionMin = TLSv1.2",
        ] + (identity.map { ["cert = \($0.certificate)", "key = \($0.key)"] } ?? [])
    }

    private func checkService(through port: Int) async throws {
        try await withEcho("tls", on: port) {
            let client = try Client(servers: [local(port)])
            let workload = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
            for size in [0, 1, 100_000] {
                let result = try await client.submit(
                    function: "tls", workload: Array(workload.prefix(size)), timeout: .seconds(10))
                #expect(result == Array(workload.prefix(size)))
            }
            #expect(try await Admin(server: local(port)).status().contains { $0.function == "tls" })
        }
    }

    private func checkRefusal(through port: Int) async throws {
        let client = try Client(servers: [local(port)])
        #expect(
            await gearmanCode { _ = try await client.submit(function: "tls", workload: [], timeout: .seconds(5)) }
                == .notConnected)
        let worker = try Worker(
            function: "tls", servers: [local(port)], logger: quietLogger, handler: { .complete($0.workload) })
        try await withWorker(worker) { _ in
            #expect(await worker.waitUntilReady() == .retrying)
            #expect(worker.status.first?.lastError?.message.contains("TLS") == true)
        }
    }

    private func failure(_ body: () throws(GearmanError) -> Void) -> GearmanError? {
        do throws(GearmanError) {
            try body()
            return nil
        } catch {
            return error
        }
    }
}
