import JSON
import LoadBalancing
import TestServers
import Testing

extension EndToEnd {
    @Suite("A client that is not libra_client")
    struct OtherClientsTests {
        @Test("the gearman command of gearman-tools applies an UPDATE")
        func gearmanCommand() async throws {
            try await withStand { stand in
                let file = "\(stand.folder)/update.json"
                // As a person writes it: on several lines, with a line feed at the end.
                try writeText(String(decoding: stand.update().bytes(pretty: true), as: UTF8.self) + "\n", to: file)
                let result = try await command(
                    "gearman", ["-h", "127.0.0.1", "-p", "\(stand.server.port)", "-f", stand.worker.name], input: file)
                #expect(result.exitCode == 0)
                #expect(try result.value().isPass, "\(result)")
                #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
            }
        }

        @Test("Python's gear applies an UPDATE")
        func gear() async throws {
            let packages = try PythonPackages.environment()
            try await withStand { stand in
                try writeText("\(stand.update())", to: "\(stand.folder)/update.json")
                try writeText(Self.gearClient, to: "\(stand.folder)/client.py")
                let result = try await command(
                    "python3",
                    ["\(stand.folder)/client.py", "\(stand.server.port)", stand.worker.name],
                    environment: packages, input: "\(stand.folder)/update.json")
                #expect(try result.value().isPass, "\(result)")
                #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
            }
        }

        private static let gearClient = """
            import sys, threading, gear

            finished = threading.Event()

            class Client(gear.Client):
                def handleWorkComplete(self, packet):
                    job = super().handleWorkComplete(packet)
                    print(b"".join(job.data).decode(), flush=True)
                    finished.set()

            client = Client()
            client.addServer("127.0.0.1", int(sys.argv[1]))
            client.waitForServer()
            client.submitJob(gear.Job(sys.argv[2].encode(), sys.stdin.buffer.read()))
            sys.exit(0 if finished.wait(20) else "no answer")
            """
    }

    @Suite("bin/client")
    struct SampleClientTests {
        private let client = Repository.file("bin/client")

        @Test("applies an UPDATE, shows the reply, and exits with what it says")
        func update() async throws {
            try await withStand { stand in
                let to = ["--server", "127.0.0.1:\(stand.server.port)", "--worker", stand.worker.name]
                let file = "\(stand.folder)/update.json"
                try writeText("\(stand.update())", to: file)
                let update = try await command(client, to + [file])
                #expect(update.exitCode == 0, "\(update)")
                #expect(try update.value().isPass)
                #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
                try writeText(#"{"hpcs_action": "STATS"}"#, to: file)
                let stats = try await command(client, to + ["-"], input: file)
                #expect(stats.exitCode == 0, "\(stats)")
                #expect(try stats.value()["nodes"]?.array?.count == 2)
                try writeText(#"{"hpcs_action": "FORMAT"}"#, to: file)
                #expect(try await command(client, to + [file]).exitCode == 1)
            }
        }

        @Test("sends the sample UPDATE of etc/, which a worker accepts")
        func sample() async throws {
            try await withGearmanServer { server in
                try await withTemporaryFolder { folder in
                    let echo = try await ChildProcess.start(
                        "gearman", ["-h", "127.0.0.1", "-p", "\(server.port)", "-w", "-f", thisHost(), "--", "cat"],
                        in: folder)
                    let result = try await command(client, ["--server", "127.0.0.1:\(server.port)"])
                    // The echo says neither PASS nor FAIL.
                    #expect(result.exitCode == 1, "\(result)")
                    let sample = try JSONValue(
                        parsing: Array(readText(Repository.file("etc/sample_update.json")).utf8))
                    #expect(try result.value() == sample)
                    let balancers = try LoadBalancer.list(from: try #require(sample.object))
                    #expect(balancers.count == 1)
                    await echo.kill()
                }
            }
        }

        @Test("says what is wrong with its command line, or that nobody answers")
        func refusals() async throws {
            for arguments in [["--what"], ["--server"], ["--worker"], ["a.json", "b.json"]] {
                let result = try await command(client, arguments)
                #expect(result.exitCode == 64, "\(arguments): \(result)")
                #expect(result.complaints.hasPrefix("usage: client"), "\(result)")
            }
            let missing = try await command(client, ["/nowhere/update.json"])
            #expect(missing.exitCode == 66 && missing.complaints.contains("/nowhere/update.json"), "\(missing)")
            let refused = try await command(client, ["--server", "127.0.0.1:1"])
            #expect(refused.exitCode == 69 && refused.complaints.contains("127.0.0.1:1"), "\(refused)")
            let help = try await command(client, ["--help"])
            #expect(help.exitCode == 0 && help.output.contains("bin/client [--server HOST:PORT]"), "\(help)")
        }
    }

    @Suite("bin/quickstart")
    struct QuickstartTests {
        @Test("shows an UPDATE, requests and STATS, and leaves nothing behind")
        func once() async throws {
            try await withTemporaryFolder { folder in
                // What it would build is built already, and the build of these tests may hold the package's lock.
                let worker = Repository.executable("libra_worker")
                try writeText(
                    "#!/bin/sh\ncase \"$*\" in *--show-bin-path*) dirname '\(worker)' ;; esac\n", to: "\(folder)/swift",
                    mode: 0o755)
                let result = try await command(
                    "sh",
                    ["-c", #"PATH="$0:$PATH" TMPDIR="$0" exec "$1" --once"#, folder, Repository.file("bin/quickstart")]
                )
                #expect(result.exitCode == 0, "\(result)")
                for words in ["Hello from A", "Hello from B", #""hpcs_response": "PASS""#, "Cleaning up"] {
                    #expect(result.output.contains(words), "\(words): \(result)")
                }
            }
        }

        @Test("refuses a wrong command line")
        func usage() async throws {
            let result = try await command(Repository.file("bin/quickstart"), ["--twice"])
            #expect(result.exitCode == 64 && result.complaints.contains("usage: bin/quickstart"), "\(result)")
        }
    }
}
