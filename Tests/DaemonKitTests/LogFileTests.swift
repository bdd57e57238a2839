import Glibc
import SystemPackage
import TestServers
import Testing

@testable import DaemonKit

@Suite struct LogFileTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("lines of many tasks are whole, in one file or the next, however often it is opened again")
    func concurrent() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/log"
            let file = try LogFile(opening: FilePath(path), program: "p")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<8 {
                    group.addTask {
                        for number in 0..<500 {
                            file.write(Array("\(task) \(number) \(String(repeating: "x", count: number))\n".utf8))
                        }
                    }
                }
                group.addTask {
                    for round in 0..<20 {
                        rename(path, "\(path).\(round)")
                        try file.reopen()
                        await Task.yield()
                    }
                }
                try await group.waitForAll()
            }
            let names = [path] + (0..<20).map { "\(path).\($0)" }
            let lines = names.flatMap { readText($0).split(separator: "\n") }
            #expect(Set(lines).count == 4000)
            #expect(lines.count == 4000)
            #expect(
                lines.allSatisfy { line in
                    let parts = line.split(separator: " ", omittingEmptySubsequences: false)
                    return parts.count == 3 && Int(parts[1]) == parts[2].count
                })
        }
    }

    @Test("a full disk loses lines, which are counted and reported when there is room again")
    func fullDisk() async throws {
        try await withTemporaryFolder { folder in
            let (code, output) = try await run("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", folder])
            try #require(code == 0, "\(output)")
            defer { umount2(folder, Int32(MNT_DETACH)) }
            let ballast = "\(folder)/ballast"
            try writeText(String(repeating: "x", count: 8192), to: ballast)
            let path = "\(folder)/log"
            let file = try LogFile(opening: FilePath(path), program: "p")
            file.write(bytes("first\n"))
            for _ in 0..<20 { file.write(bytes(String(repeating: "y", count: 999) + "\n")) }
            unlink(ballast)
            file.write(bytes("last\n"))
            file.write(bytes("after\n"))
            let lines = readText(path).split(separator: "\n")
            #expect(lines.first == "first")
            let whole = lines.count { $0.count == 999 }
            #expect(whole > 0 && whole < 20)
            #expect(lines.suffix(2) == ["last", "after"])
            #expect(
                lines[lines.count - 3].hasSuffix(
                    " warning p[\(getpid())]: \(20 - whole) lines of this log are lost: No space left on device"))
        }
    }

    @Test("what is no log file is refused by name")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            func problem(_ name: String) -> DaemonError? {
                do throws(DaemonError) {
                    _ = try LogFile(opening: FilePath("\(folder)/\(name)"), program: "p")
                    return nil
                } catch {
                    return error
                }
            }
            symlink("/etc/passwd", "\(folder)/link")
            mkfifo("\(folder)/fifo", 0o600)
            #expect(problem("link")?.message.contains("link' is a symbolic link: name the file") == true)
            #expect(problem("fifo")?.code == .logFile)
            #expect(
                problem("no/log")?.message == "cannot open the log file '\(folder)/no/log': No such file or directory")
            #expect(problem("no/log")?.cause == .noSuchFileOrDirectory)
        }
    }
}
