import DaemonKit
import Glibc
import SystemPackage
import TestServers
import Testing

@Suite struct PIDFileTests {
    @Test("a PID file is held against others until it is released, and is gone then")
    func lifetime() async throws {
        try await withTemporaryFolder { folder in
            let path = FilePath("\(folder)/pid")
            try writeText("a stale file of some length\n", to: path.string, mode: 0o600)
            let first = try PIDFile(claiming: path)
            #expect(readText(path.string) == "\(getpid())\n")
            #expect(try fileStatus(path.string).st_mode & 0o7777 == 0o644)
            let error = #expect(throws: DaemonError.self) { try PIDFile(claiming: path) }
            #expect(error?.code == .alreadyRunning)
            #expect(error?.message.hasPrefix("process \(getpid()) is running and holds the PID file '\(path)'") == true)
            #expect(readText(path.string) == "\(getpid())\n")
            first.release()
            first.release()
            #expect(access(path.string, F_OK) != 0)
            let second = try PIDFile(claiming: path)
            second.release()
        }
    }

    @Test("a file that took the place of the own one is not removed")
    func replaced() async throws {
        try await withTemporaryFolder { folder in
            let path = FilePath("\(folder)/pid")
            let file = try PIDFile(claiming: path)
            unlink(path.string)
            try writeText("1\n", to: path.string)
            file.release()
            #expect(readText(path.string) == "1\n")
        }
    }

    @Test("of many processes that start at once, one gets the PID file")
    func race() async throws {
        try await withDaemonFolder { folder in
            let codes = try await withThrowingTaskGroup(of: Int32.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await run(probe, ["--user", "haproxy"] + folder.options).exitCode }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.count { $0 == 0 } == 1)
            #expect(codes.count { $0 == 73 } == 7)
            #expect(isProcessAlive(try #require(folder.pid)))
        }
    }

    @Test("what is no PID file is refused by name, and left alone")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            func problem(_ name: String) -> String? {
                #expect(throws: DaemonError.self) { try PIDFile(claiming: FilePath("\(folder)/\(name)")) }?.message
            }
            try writeText("precious", to: "\(folder)/target")
            symlink("\(folder)/target", "\(folder)/link")
            mkfifo("\(folder)/fifo", 0o600)
            mkdir("\(folder)/folder", 0o755)
            #expect(problem("link")?.contains("is a symbolic link") == true)
            #expect(problem("fifo")?.contains("is not a regular file") == true)
            #expect(problem("folder")?.contains("Is a directory") == true)
            #expect(problem("no/pid")?.contains("No such file or directory") == true)
            #expect(readText("\(folder)/target") == "precious")
        }
    }
}
