import DedicatedThread
import Glibc
import LogTransport
import TestServers
import Testing

@Suite struct InputFaultTests {
    private let lines = MemoryOutlet.Lines()

    private func relay(
        _ input: Int32, options: RelayOptions = RelayOptions(), form: LineForm = LineForm()
    ) throws -> RunningRelay {
        try RunningRelay(StdinRelay(options: options, form: form, input: input) { [lines] in MemoryOutlet(lines) })
    }

    @Test("an input that is closed at the start ends the relay at once, without a line")
    func closed() async throws {
        let report = try await relay(1_000_003).report()
        #expect(report.linesIn == 0)
        #expect(report.waiting == 0)
        #expect(lines.all.isEmpty)
    }

    @Test("a non-blocking input is waited on like any other, and keeps its flags")
    func nonBlocking() async throws {
        let input = try InputPipe()
        try #require(fcntl(input.reader, F_SETFL, fcntl(input.reader, F_GETFL) | O_NONBLOCK) == 0)
        let flags = fcntl(input.reader, F_GETFL)
        let running = try relay(input.reader)
        for count in 1...3 {
            input.write("line\n")
            try await eventually { lines.all.count == count }
        }
        #expect(fcntl(input.reader, F_GETFL) == flags)
        input.closeWriter()
        #expect(try await running.report().linesOut == 3)
        #expect(fcntl(input.reader, F_GETFL) == flags)
    }

    @Test("garbage passes byte by byte, whatever it is")
    func garbage() async throws {
        var random = SplitMix64.forThisRun()
        let bytes = (0..<300_000).map { _ in UInt8.random(in: .min ... .max, using: &random) } + [0x21]
        let report = try await relay(file: bytes)
        #expect(lines.all == bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map { Array($0) })
        #expect(report.bytesIn == UInt64(bytes.count))
        #expect(report.linesOut == report.linesIn)
        #expect(report.linesCut == 0)
    }

    @Test("garbage without a single line feed becomes one line, which is cut")
    func endlessLine() async throws {
        var options = RelayOptions()
        options.maximumLine = 100_000
        let report = try await relay(file: .init(repeating: 0xff, count: 3_000_000), options: options)
        #expect(lines.all == [.init(repeating: 0xff, count: 100_000)])
        #expect(report.linesCut == 1)
        #expect(report.linesIn == 1)
    }

    @Test("garbage becomes one valid object a line", arguments: LineEncoding.allCases)
    func objects(encoding: LineEncoding) async throws {
        var random = SplitMix64.forThisRun()
        let bytes = (0..<300_000).map { _ in UInt8.random(in: .min ... .max, using: &random) } + [0x21]
        var form = LineForm()
        form.envelope = LineForm.Envelope(type: "t", processID: 1, encoding: encoding)
        _ = try await relay(file: bytes, form: form)
        var envelope = JSONEnvelope(type: "t", processID: 1, encoding: encoding)
        let expected = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
            Array(line).withUnsafeBytes { Array(envelope.wrap($0)) }
        }
        #expect(lines.all == expected)
    }

    @Test("a long line is wrapped once as a short one is, though it found no room at first")
    func long() async throws {
        var form = LineForm()
        form.envelope = LineForm.Envelope(type: "t", processID: 1)
        let texts = ["short", String(repeating: "x", count: 200_000), "", String(repeating: "y", count: 65_536)]
        let input = try InputPipe()
        let running = try relay(input.reader, form: form)
        await DedicatedThread(name: "writer").run {
            for text in texts { input.write(text + "\n") }
            input.closeWriter()
        }
        #expect(try await running.report().linesOut == 4)
        let objects = lines.all.map { String(decoding: $0, as: UTF8.self) }
        #expect(objects == texts.map { #"{"message":"\#($0)","type":"t","@pid":1}"# })
    }

    @Test("a directory, or an input for writing only, is refused before a line is taken")
    func unreadable() async throws {
        for (path, flags) in [("/tmp", O_RDONLY), ("/dev/null", O_WRONLY)] {
            let file = open(path, flags | O_CLOEXEC)
            defer { close(file) }
            let running = try relay(file)
            let error = await #expect(throws: LogTransportError.self) { _ = try await running.report() }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("lines that came before the input failed are handed on, and the failure is reported")
    func failure() async throws {
        let socket = try connectionThatIsReset(after: "one\ntwo\nthr")
        defer { close(socket) }
        let running = try relay(socket)
        let error = await #expect(throws: LogTransportError.self) { _ = try await running.report() }
        #expect(error?.code == .systemError)
        #expect(error?.description.contains("Connection reset by peer") == true)
        #expect(lines.all == ["one", "two", "thr"].map { Array($0.utf8) })
        #expect(running.relay.report.linesOut == 3)
    }

    /// Relays a file of these bytes.
    private func relay(
        file bytes: [UInt8], options: RelayOptions = RelayOptions(), form: LineForm = LineForm()
    ) async throws -> RelayReport {
        let file = try #require(tmpfile())
        defer { fclose(file) }
        try #require(write(fileno(file), bytes, bytes.count) == bytes.count)
        try #require(lseek(fileno(file), 0, SEEK_SET) == 0)
        return try await relay(fileno(file), options: options, form: form).report()
    }
}

/// A socket that has some text to read, and behind it an error.
private func connectionThatIsReset(after text: String) throws -> Int32 {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let reader = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let isConnected = withUnsafeMutablePointer(to: &address) { address in
        address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(listener, address, size) == 0 && listen(listener, 1) == 0
                && getsockname(listener, address, &size) == 0 && connect(reader, address, size) == 0
        }
    }
    let writer = accept(listener, nil, nil)
    try #require(isConnected && writer >= 0)
    var linger = linger(l_onoff: 1, l_linger: 0)
    #expect(setsockopt(writer, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size)) == 0)
    #expect(write(writer, text, text.utf8.count) == text.utf8.count)
    close(writer)
    return reader
}
