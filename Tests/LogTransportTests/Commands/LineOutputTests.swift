import Glibc
import Logging
import SystemPackage
import Testing
import TestServers

@testable import LogCommands

@Suite("What hayrack receive writes", .serialized)
struct LineOutputTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func add(_ text: String, to output: inout LineOutput) {
        Array(text.utf8).withUnsafeBytes { output.add($0) }
    }

    @Test("each message ends with one newline, whether it brought it or not")
    func newlines() async throws {
        try await withTemporaryFolder { folder in
            var output = LineOutput(try OutputTarget(opening: FilePath("\(folder)/out")), logger: logger)
            for text in ["one", "two\n", "", "\n", "a\0b"] { add(text, to: &output) }
            try output.flush(until: try StopRequest())
            #expect(readText("\(folder)/out") == "one\ntwo\n\n\na\0b\n")
        }
    }

    @Test("a newline within a message is escaped, so that a message is one line; one at its end is the line's")
    func newlinesWithin() async throws {
        try await withTemporaryFolder { folder in
            var output = LineOutput(try OutputTarget(opening: FilePath("\(folder)/out")), logger: logger)
            for text in ["one\ntwo", "\nthree\n\n", "\n\n", #"C:\new"#, "end\n"] { add(text, to: &output) }
            Array("a\nb".utf8).withUnsafeBytes { output.add(prefix: "id-1\t", $0) }
            let waiting = output.waiting
            #expect(waiting == 6)
            try output.flush(until: try StopRequest())
            let lines = [#"one\ntwo"#, #"\nthree\n"#, #"\n"#, #"C:\new"#, "end", "id-1\t" + #"a\nb"#]
            #expect(readText("\(folder)/out") == lines.map { $0 + "\n" }.joined())
        }
    }

    @Test("a file that ends in half a line gets a newline first, and is appended to")
    func halfLine() async throws {
        try await withTemporaryFolder { folder in
            try writeText("whole\nhal", to: "\(folder)/out")
            var output = LineOutput(try OutputTarget(opening: FilePath("\(folder)/out")), logger: logger)
            add("next", to: &output)
            try output.flush(until: try StopRequest())
            #expect(readText("\(folder)/out") == "whole\nhal\nnext\n")
        }
    }

    @Test("a file that another one writes to is refused")
    func lock() async throws {
        try await withTemporaryFolder { folder in
            let first = try OutputTarget(opening: FilePath("\(folder)/out"))
            let error = #expect(throws: LineOutputError.self) {
                _ = try OutputTarget(opening: FilePath("\(folder)/out"))
            }
            #expect(error?.description.contains("\(folder)/out") == true)
            _ = consume first
        }
    }

    @Test("a file that was moved away is opened anew, and one that was not goes on")
    func reopening() async throws {
        try await withTemporaryFolder { folder in
            let stop = try StopRequest()
            var output = LineOutput(try OutputTarget(opening: FilePath("\(folder)/out")), logger: logger)
            add("first", to: &output)
            try output.flush(until: stop)
            rename("\(folder)/out", "\(folder)/out.1")
            try output.reopen()
            add("second", to: &output)
            try output.flush(until: stop)
            try output.reopen()
            add("third", to: &output)
            try output.flush(until: stop)
            #expect(readText("\(folder)/out.1") == "first\n")
            #expect(readText("\(folder)/out") == "second\nthird\n")
        }
    }

    @Test("a pipe that nobody reads holds a write up until it is asked to stop twice")
    func fullPipe() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/fifo"
            #expect(mkfifo(path, 0o600) == 0)
            let stop = try StopRequest()
            var output = LineOutput(try OutputTarget(opening: FilePath(path)), logger: logger)
            let line = String(repeating: "x", count: 999)
            for _ in 0..<200 { add(line, to: &output) }
            let isFull = output.isFull
            #expect(isFull)
            stop.stop()
            stop.stop()
            let error = #expect(throws: LineOutputError.self) { try output.flush(until: stop) }
            // A pipe holds 64 KiB, and lines that are in it in part do not count as written.
            #expect((130...200).contains(error?.unwritten ?? 0), "\(error?.unwritten ?? 0)")
            let waiting = output.waiting
            #expect(waiting == 0)
        }
    }

    @Test("a reader that comes late gets everything")
    func lateReader() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/fifo"
            #expect(mkfifo(path, 0o600) == 0)
            var output = LineOutput(try OutputTarget(opening: FilePath(path)), logger: logger)
            for number in 0..<20_000 { add("line \(number)", to: &output) }
            let reader = try await ChildProcess.start("sh", ["-c", "sleep 0.2; head -n 20000 \(path)"], in: folder)
            try output.flush(until: try StopRequest())
            try await reader.waitForExit()
            let lines = reader.output.split(separator: "\n")
            #expect(lines.count == 20_000 && lines.last == "line 19999")
        }
    }

    @Test(
        "a full disk is waited for, and at the end what does not fit is cut back to whole lines",
        .enabled(if: geteuid() == 0, "needs root, to mount a disk"))
    func fullDisk() async throws {
        try await withSmallDisk(kilobytes: 64) { disk in
            let stop = try StopRequest()
            var output = LineOutput(try OutputTarget(opening: FilePath(disk.path + "/out")), logger: logger)
            let line = String(repeating: "y", count: 998)
            for _ in 0..<100 { add(line, to: &output) }
            stop.stop()
            let error = #expect(throws: LineOutputError.self) { try output.flush(until: stop) }
            let text = readText(disk.path + "/out")
            let written = text.split(separator: "\n").count
            #expect(text.hasSuffix("y\n") && text.utf8.count == written * 999)
            #expect(written > 50 && error?.unwritten == 100 - written)
        }
    }

    @Test("only what this process wrote last is cut back, also of a file that came as standard output")
    func cutBack() async throws {
        try await withTemporaryFolder { folder in
            let descriptor = open("\(folder)/out", O_RDWR | O_CREAT, 0o600)
            defer { close(descriptor) }
            let target = OutputTarget(name: "standard output", descriptor: descriptor, path: nil)
            func put(_ text: String) { _ = Array(text.utf8).withUnsafeBytes { target.write($0) } }
            put("whole\nhal")
            target.cutBack(3)
            put("next\n")
            #expect(readText("\(folder)/out") == "whole\nnext\n")
            let other = open("\(folder)/out", O_WRONLY | O_APPEND)
            _ = write(other, "theirs\n", 7)
            close(other)
            target.cutBack(3)
            #expect(readText("\(folder)/out") == "whole\nnext\ntheirs\n")
        }
    }
}
