import DedicatedThread
import Glibc
import LogTransport
import Synchronization
import TestServers
import Testing

@Suite struct LineReaderTests {
    @Test("an empty pipe has nothing yet, blocking or not, and its flags stay as they were", arguments: [false, true])
    func flags(isNonBlocking: Bool) throws {
        let pipe = try Pipe()
        if isNonBlocking { #expect(fcntl(pipe.reader, F_SETFL, fcntl(pipe.reader, F_GETFL) | O_NONBLOCK) == 0) }
        let flags = fcntl(pipe.reader, F_GETFL)
        var input = try LineReader(descriptor: pipe.reader, maximumLength: 100)
        #expect(try input.read() == .nothingYet)
        pipe.write("one\ntw")
        #expect(try input.read() == .lines)
        #expect(input.next().map { Array($0) } == Array("one".utf8))
        #expect(input.next() == nil)
        #expect(try input.read() == .nothingYet)
        pipe.write("o")
        pipe.closeWriter()
        #expect(try rest(&input) == ["two"])
        #expect(try input.read() == .end)
        #expect(input.bytesRead == 7)
        #expect(fcntl(pipe.reader, F_GETFL) == flags)
    }

    @Test("a descriptor that is closed is an input without lines")
    func closed() throws {
        var input = try LineReader(descriptor: 1_000_003, maximumLength: 100)
        #expect(try rest(&input) == [])
    }

    @Test("/dev/null and an empty file are inputs without lines")
    func nothing() async throws {
        try await withTemporaryFolder { folder in
            try writeText("", to: folder + "/empty")
            for path in ["/dev/null", folder + "/empty"] {
                let file = open(path, O_RDONLY | O_CLOEXEC)
                defer { close(file) }
                var input = try LineReader(descriptor: file, maximumLength: 100)
                #expect(try rest(&input) == [])
            }
        }
    }

    @Test("a file of many blocks is read to its end")
    func file() async throws {
        try await withTemporaryFolder { folder in
            let lines = (0..<50_000).map { "line \($0) " + String(repeating: "x", count: $0 % 100) }
            try writeText(lines.joined(separator: "\n"), to: folder + "/input")
            let file = open(folder + "/input", O_RDONLY | O_CLOEXEC)
            defer { close(file) }
            var input = try LineReader(descriptor: file, maximumLength: 1000)
            #expect(try rest(&input) == lines)
        }
    }

    @Test("a directory is refused and named")
    func directory() throws {
        let folder = open("/tmp", O_RDONLY | O_CLOEXEC)
        defer { close(folder) }
        let error = #expect(throws: LogTransportError.self) {
            _ = try LineReader(descriptor: folder, maximumLength: 100)
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("descriptor \(folder) is a directory") == true)
    }

    @Test("a descriptor that is open for writing only is refused")
    func unreadable() throws {
        let file = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        let error = #expect(throws: LogTransportError.self) {
            _ = try LineReader(descriptor: file, maximumLength: 100)
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("descriptor \(file) is open for writing only") == true)
    }

    @Test("what the kernel refuses to read is an error with its reason")
    func failure() throws {
        // Without an address there is no memory to read.
        let file = open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        var input = try LineReader(descriptor: file, maximumLength: 100)
        do {
            _ = try input.read()
            Issue.record("read \(input.bytesRead) bytes")
        } catch {
            #expect(error.code == .systemError)
            #expect(error.description.contains("Input/output error"))
        }
    }

    @Test("a socket is read to its end")
    func socket() throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { close(ends[0]) }
        #expect(write(ends[1], "a\nb", 3) == 3)
        close(ends[1])
        var input = try LineReader(descriptor: ends[0], maximumLength: 100)
        #expect(try rest(&input) == ["a", "b"])
    }

    @Test("signals in the middle of reads and waits lose nothing")
    func interrupted() async throws {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        var before = sigaction()
        try #require(sigaction(SIGWINCH, &action, &before) == 0)
        let pipe = try Pipe()
        let reader = Atomic<pthread_t>(0)
        let isDone = Atomic(false)
        async let writing: Void = DedicatedThread(name: "writer").run {
            for number in 0..<200_000 { pipe.write("line \(number)\n") }
            pipe.closeWriter()
        }
        async let signalling = DedicatedThread(name: "signaller").run {
            var count = 0
            while !isDone.load(ordering: .acquiring) {
                let thread = reader.load(ordering: .acquiring)
                if thread != 0, pthread_kill(thread, SIGWINCH) == 0 { count += 1 }
                sched_yield()
            }
            return count
        }
        // It outlives the signals.
        let thread = DedicatedThread(name: "reader")
        let lines = try await thread.run { () throws -> [String] in
            reader.store(pthread_self(), ordering: .releasing)
            var input = try LineReader(descriptor: pipe.reader, maximumLength: 100)
            defer { reader.store(0, ordering: .releasing) }
            return try rest(&input)
        }
        isDone.store(true, ordering: .releasing)
        await writing
        #expect(await signalling > 100)
        await thread.run {}
        _ = sigaction(SIGWINCH, &before, nil)
        #expect(lines.count == 200_000)
        #expect(lines.last == "line 199999")
    }
}

/// The lines up to the end, waiting for them.
private func rest(_ input: inout LineReader) throws -> [String] {
    var lines: [String] = []
    while true {
        switch try input.read() {
        case .lines:
            while let line = input.next() { lines.append(String(decoding: line, as: UTF8.self)) }
        case .nothingYet:
            var wait = pollfd(fd: input.descriptor, events: Int16(POLLIN), revents: 0)
            _ = poll(&wait, 1, 10_000)
        case .end:
            return lines
        }
    }
}

/// A pipe that is closed at the end.
private final class Pipe: Sendable {
    let reader: Int32
    private let writer: Mutex<Int32>

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        reader = ends[0]
        writer = Mutex(ends[1])
    }

    deinit {
        close(reader)
        closeWriter()
    }

    func write(_ text: String) {
        writer.withLock { descriptor in
            #expect(Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count)
        }
    }

    func closeWriter() {
        writer.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }
}
