import JSON
import Testing
import TestServers

extension EndToEnd {
    @Suite("muskrat and stores with S3's protocol", .timeLimit(.minutes(3)))
    struct MuskratStoreTests {
        private func url(_ login: S3Login, bucket: String? = nil, _ more: String = "") -> String {
            "s3://\(bucket ?? login.bucket)/prefix?endpoint=\(login.endpoint)&path-style=true\(more)"
        }

        @Test("a store without conditional puts is refused with 78 and the reason, and the legacy layout takes it")
        func preflight() async throws {
            try await withTemporaryFolder { folder in
                let server = try await RcloneS3.start(in: folder)
                try await withMuskrat { stand in
                    let environment = server.login.environment
                    func muskrat(_ arguments: String..., input: String? = nil) async throws -> CommandResult {
                        try await stand.muskrat(
                            arguments + ["--broker", url(server.login)], input: input, environment: environment)
                    }
                    let produced = try await muskrat("produce", "A.B", input: "one\n")
                    #expect(produced.exitCode == 78, "\(produced)")
                    #expect(produced.complaints.contains("If-None-Match"), "\(produced)")
                    #expect(produced.complaints.contains("1 message of A.B not stored"), "\(produced)")
                    let consumed = try await muskrat("consume", "A.B")
                    #expect(consumed.exitCode == 78, "\(consumed)")
                    #expect(consumed.complaints.contains("If-None-Match"), "\(consumed)")
                    let legacy = try await muskrat("produce", "A.B", "--layout", "legacy", input: "one\n")
                    #expect(legacy.exitCode == 0, "\(legacy)")
                    #expect(try await muskrat("consume", "A.B", "--layout", "legacy").output == "one\n")
                }
                await server.stop()
            }
        }

        @Test("a wrong key, secret, bucket or clock is 78, says what is wrong, and shows no secret")
        func refusals() async throws {
            try await withSeaweedFS { server in
                try await withMuskrat { stand in
                    func expect(
                        _ words: String, _ broker: String, _ environment: [String: String],
                        _ location: SourceLocation = #_sourceLocation
                    ) async throws {
                        for arguments in [
                            ["produce", "A.B"], ["consume", "A.B"], ["consume", "#"], ["keys"], ["verify"],
                        ] {
                            let result = try await stand.muskrat(
                                arguments + ["--broker", broker], input: "x\n", environment: environment)
                            #expect(result.exitCode == 78, "\(arguments): \(result)", sourceLocation: location)
                            #expect(result.complaints.contains(words), "\(result)", sourceLocation: location)
                            #expect(!result.complaints.contains("hush"), "\(result)", sourceLocation: location)
                        }
                    }
                    let login = server.login
                    let wrong = ["AWS_SECRET_ACCESS_KEY": "hush-wrong"]
                    try await expect(
                        "the secret key is not that of", url(login), login.environment.merging(wrong) { $1 })
                    let unknown = ["AWS_ACCESS_KEY_ID": "AKIAUNKNOWN"]
                    try await expect(
                        "does not know the access key 'AKIAUNKNOWN'", url(login),
                        login.environment.merging(unknown) { $1 })
                    try await expect("no bucket 'nowhere'", url(login, bucket: "nowhere"), login.environment)

                    // A server that finds every time wrong: what a clock looks like that cannot be put right.
                    let skewed = try ScriptedHTTP { _ in
                        .answer(
                            403,
                            headers: [("Date", "Sat, 21 Nov 2026 01:23:45 GMT"), ("Content-Type", "application/xml")],
                            body: "<Error><Code>RequestTimeTooSkewed</Code><Message>skewed</Message></Error>")
                    }
                    try await expect(
                        "set both by NTP", url(S3Login(port: skewed.port)), login.environment)
                    skewed.close()
                }
            }
        }

        @Test(
            "a bucket of another region is 78 and tells which, and with that region it is used",
            arguments: [(400, "AuthorizationHeaderMalformed"), (301, "PermanentRedirect")])
        func wrongRegion(status: Int, code: String) async throws {
            try await withSeaweedFS { server in
                try await withMuskrat { stand in
                    // As Amazon's servers do, and those here do not: they look at the region that a request is signed for.
                    let proxy = try ScriptedHTTP(to: server.login.port) { request in
                        if request.headers["authorization"]?.contains("/eu-west-1/s3/") == true { return .forward }
                        let body =
                            "<Error><Code>\(code)</Code><Message>not here</Message><Region>eu-west-1</Region></Error>"
                        return .answer(
                            status, headers: [("x-amz-bucket-region", "eu-west-1")],
                            body: request.method == "HEAD" ? "" : body)
                    }
                    defer { proxy.close() }
                    func muskrat(_ arguments: [String], _ region: String) async throws -> CommandResult {
                        try await stand.muskrat(
                            arguments + ["--broker", url(S3Login(port: proxy.port), "&region=\(region)")],
                            input: "one\n", environment: server.login.environment)
                    }
                    for arguments in [
                        ["produce", "A.B"], ["consume", "A.B"], ["consume", "#"], ["keys"], ["verify"],
                        ["cursors", "list"], ["cursors", "show", "A.B"], ["retain", "--size", "1"],
                    ] {
                        let result = try await muskrat(arguments, "us-east-1")
                        #expect(result.exitCode == 78, "\(arguments): \(result)")
                        let words = "bucket 'libra' belongs to the region eu-west-1, and this asks as for us-east-1; "
                        #expect(
                            result.complaints.contains(words + "set region=eu-west-1"), "\(arguments): \(result)")
                    }
                    let produced = try await muskrat(["produce", "A.B", "--quiet"], "eu-west-1")
                    #expect(produced.exitCode == 0, "\(produced)")
                    #expect(try await muskrat(["consume", "A.B"], "eu-west-1").output == "one\n")
                }
            }
        }

        @Test("the keys of the old configuration files name the store")
        func oldKeys() async throws {
            try await withSeaweedFS { server in
                try await withMuskrat { stand in
                    let (file, secret) = ("\(stand.folder)/muskrat.cfg", "\(stand.folder)/secret")
                    try writeText(server.login.secretAccessKey + "\n", to: secret, mode: 0o600)
                    try writeText(
                        """
                        [muskrat]
                        s3_key = \(server.login.accessKeyID)
                        s3_secret_file = \(secret)
                        s3_bucket = \(server.login.bucket)
                        s3_host = \(server.login.endpoint)
                        s3_prefix = prod
                        s3_cursor.type = file
                        s3_cursor.location = \(stand.folder)/cursors
                        name = old
                        """, to: file)
                    let nobody = ["LIBRA_MUSKRAT_BROKERS": ""]
                    let produced = try await stand.muskrat(
                        "produce", "Chat.Room", "--config", file, input: "hello\n", environment: nobody)
                    #expect(produced.exitCode == 0, "\(produced)")
                    let consumed = try await stand.muskrat(
                        "consume", "Chat.Room", "--config", file, environment: nobody)
                    #expect(consumed.output == "hello\n", "\(consumed)")
                    #expect(exists("\(stand.folder)/cursors/CHAT.ROOM/old"))
                    let listed = try await server.login.aws(
                        "s3", "ls", "--recursive", "s3://\(server.login.bucket)/prod/")
                    #expect(listed.contains("prod/CHAT/ROOM/log/00000000000000000001"), "\(listed)")
                    #expect(!listed.contains("cursors"), "\(listed)")
                }
            }
        }

        @Test("s3_host over TLS is served with its authority in s3_cacertfile, and without it is 78 with the way out")
        func ownAuthority() async throws {
            try await withMuskrat { stand in
                let authority = try await TestAuthority(in: stand.folder, name: "ours")
                try await withSeaweedFS(identity: authority.server) { server in
                    let file = "\(stand.folder)/muskrat.cfg"
                    let lines = """
                        [muskrat]
                        s3_bucket = \(server.login.bucket)
                        s3_host = localhost:\(server.tlsPort)

                        """
                    try writeText(lines, to: file)
                    let environment = server.login.environment.merging(["LIBRA_MUSKRAT_BROKERS": ""]) { $1 }
                    for arguments in [["produce", "A.B"], ["consume", "A.B"]] {
                        let result = try await stand.muskrat(
                            arguments + ["--config", file], input: "one\n", environment: environment)
                        #expect(result.exitCode == 78, "\(result)")
                        #expect(result.complaints.contains("no authority trusted here has signed"), "\(result)")
                        #expect(result.complaints.contains("cacertfile"), "\(result)")
                    }
                    try writeText(lines + "s3_cacertfile = \(authority.certificate)\n", to: file)
                    let produced = try await stand.muskrat(
                        "produce", "A.B", "--config", file, input: "two\n", environment: environment)
                    #expect(produced.exitCode == 0, "\(produced)")
                    // The same place as a URL.
                    let url = "s3://\(server.login.bucket)?endpoint=https://localhost:\(server.tlsPort)&path-style=true"
                    let consumed = try await stand.muskrat(
                        "consume", "A.B", "--broker", "\(url)&cacertfile=\(authority.certificate)",
                        environment: environment)
                    #expect(consumed.output == "two\n", "\(consumed)")
                }
            }
        }

        @Test("a second consumer says which process of which host reads")
        func holder() async throws {
            try await withSeaweedFS { server in
                try await withMuskrat { stand in
                    let (broker, environment) = (url(server.login), server.login.environment)
                    let produced = try await stand.muskrat(
                        ["produce", "A.B", "--broker", broker], input: "one\n", environment: environment)
                    #expect(produced.exitCode == 0, "\(produced)")
                    let out = "\(stand.folder)/out"
                    let consume = ["consume", "A.B", "--broker", broker, "--follow"]
                    let first = try await stand.start(consume, output: out, environment: environment)
                    try await eventually("the first line") { readText(out) == "one\n" }
                    let second = try await stand.start(consume, environment: environment)
                    try await eventually("the second's word") {
                        second.output.contains("waiting until it ends") && second.output.contains("on \(thisHost())")
                    }
                    for process in [second, first] {
                        process.signal(15)
                        #expect(try await process.waitForExit() == 0, "\(process.output)")
                    }
                }
            }
        }
    }
}
