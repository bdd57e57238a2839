import Glibc
import SystemPackage
import Testing

@testable import HAProxy

@Suite(.serialized) struct CommandRunnerTests {
    @Test("a command gets its input, and what it says and how it ends is known")
    func outcome() async throws {
        let good = try await run("cat; echo words >&2", input: "in\n")
        #expect(good.isSuccess)
        #expect(good.output == Array("in\n".utf8) && good.errorOutput == Array("words\n".utf8))
        let bad = try await run("exit 3")
        #expect(!bad.isSuccess && bad.ending == "exit code 3")
        let killed = try await run("kill -9 $$")
        #expect(!killed.isSuccess && killed.ending == "signal 9")
    }

    @Test("a command that ends before it has read its input does no harm")
    func earlyEnd() async throws {
        for _ in 0..<20 { #expect(try await run("exit 0", input: String(repeating: "x", count: 60_000)).isSuccess) }
        let error = try await #require(throws: HAProxyError.self) {
            try await run("exit 0", input: String(repeating: "x", count: 70_000))
        }
        #expect(error.code == .inputOutput)
    }

    @Test("a command sees nothing of this process's environment")
    func environment() async throws {
        let lines = try await run("env").output.split(separator: UInt8(ascii: "\n")).map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(Set(lines.map { $0.prefix { $0 != "=" } }).isSubset(of: ["PATH", "LC_ALL", "PWD", "SHLVL", "_"]))
    }

    @Test("what a command leaves running does not hold up its outcome")
    func grandchild() async throws {
        let clock = ContinuousClock()
        var outcome: CommandOutcome?
        let time = try await clock.measure { outcome = try await run("echo said; sleep 15 & exit 0") }
        #expect(time < .seconds(10))
        #expect(outcome?.isSuccess == true)
        #expect(outcome?.output == Array("said\n".utf8))
    }

    @Test("a command that takes too long is given up")
    func timeout() async throws {
        let clock = ContinuousClock()
        let time = await clock.measure {
            let error = await #expect(throws: HAProxyError.self) {
                try await run("sleep 20", within: .milliseconds(100))
            }
            #expect(error?.code == .timedOut && error?.isRetriable == true)
        }
        #expect(time < .seconds(15))
    }

    @Test("a cancelled task has its command's outcome all the same")
    func cancelled() async throws {
        let task = Task { try await run("sleep 0.3; echo done").output }
        task.cancel()
        #expect(try await task.value == Array("done\n".utf8))
    }

    @Test("a missing program is said to be missing, and no descriptor is lost")
    func missing() async throws {
        func descriptors() -> Int {
            (0..<1024).count { fcntl(Int32($0), F_GETFD) >= 0 }
        }
        _ = try await run("true")
        let before = descriptors()
        for _ in 0..<50 {
            let error = await #expect(throws: HAProxyError.self) {
                try await CommandRunner.run("/nonexistent/program", [], within: .seconds(10))
            }
            #expect(error?.code == .notInstalled)
            #expect(error?.message == "/nonexistent/program is not installed, or not executable")
        }
        for _ in 0..<20 { _ = try await run("true", input: "x") }
        #expect(descriptors() <= before + 10)
    }

    private func run(
        _ script: String, input: String = "", within limit: Duration = .seconds(20)
    ) async throws(HAProxyError) -> CommandOutcome {
        try await CommandRunner.run("/bin/sh", ["-c", script], input: Array(input.utf8), within: limit)
    }
}
