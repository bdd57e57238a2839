import Glibc
import TestServers
import Testing

@Suite struct TestServersTests {
    @Test("a child's output and exit code are known, and a child that ignores SIGTERM is killed")
    func child() async throws {
        let (code, output) = try await run(
            "sh", ["-c", "echo out; echo $LIBRA_X >&2; exit 3"], environment: ["LIBRA_X": "err"])
        #expect(code == 3)
        #expect(output == "out\nerr\n")
        try await withTemporaryFolder { folder in
            let child = try await ChildProcess.start(
                "sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"], in: folder)
            try await eventually { child.output.contains("ready") }
            await child.stop(within: .milliseconds(100))
            #expect(!child.isRunning)
            #expect(try await child.waitForExit() == 128 + SIGKILL)
        }
    }

    @Test("a relay carries bytes, swallows them, or resets the connection")
    func relay() async throws {
        try await withTemporaryFolder { folder in
            let port = try freePort()
            let server = try await ChildProcess.start(
                "python3", ["-m", "http.server", "\(port)", "--bind", "127.0.0.1"], in: folder)
            try await eventually { accepts(port: port) }
            let relay = try TCPRelay(to: port)
            let url = "http://127.0.0.1:\(relay.port)/"
            #expect(try await run("curl", ["-s", "-m", "5", "-o", "/dev/null", url]).exitCode == 0)
            relay.become(.blackHole)
            #expect(try await run("curl", ["-s", "-m", "1", "-o", "/dev/null", url]).exitCode == 28)
            relay.become(.reset)
            // The reset meets curl when it looks whether it is connected, while it sends, or while it receives.
            let code = try await run("curl", ["-s", "-m", "10", "-o", "/dev/null", url]).exitCode
            #expect([7, 55, 56].contains(code), "curl exits with \(code)")
            relay.close()
            try await eventually { !accepts(port: relay.port) }
            await server.stop()
        }
    }
}
