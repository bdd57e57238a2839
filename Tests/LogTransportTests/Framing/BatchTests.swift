import Glibc
import LogTransport
import TestServers
import Testing

@Suite struct BatchTests {
    @Test("the bytes of a batch are those of docs/wire.md")
    func format() {
        #expect(
            batch(of: [Array("GET /".utf8), [], [0]])
                == [0x0a, 0x4c, 0x42, 0x41, 1, 0, 0, 0, 0, 0, 0, 3]
                + [0, 0, 0, 5, 0x47, 0x45, 0x54, 0x20, 0x2f] + [0, 0, 0, 0] + [0, 0, 0, 1, 0])
    }

    @Test("random lines come out as they went in")
    func roundTrip() throws {
        var random = SplitMix64.forThisRun()
        for _ in 0..<300 {
            let lines = (0..<Int.random(in: 1...50, using: &random)).map { _ in
                (0..<Int.random(in: 0...80, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random)
                }
            }
            #expect(try read(batch(of: lines)) == lines)
        }
    }

    @Test("a batch is full at its lines or its bytes, and is used again after it was emptied")
    func limits() throws {
        var builder = BatchBuilder(maximumLines: 3, maximumBytes: 50)
        let line = Array("0123456789".utf8)
        func add(_ count: Int) -> [Bool] { (0..<count).map { _ in line.withUnsafeBytes { builder.add($0) } } }
        #expect(add(3) == [true, true, false])
        #expect(builder.byteCount == 12 + 2 * 14)
        #expect(try read(Array(builder.message())) == [line, line])
        builder.removeAll()
        #expect(builder.count == 0)
        #expect((0..<4).map { _ in [UInt8]().withUnsafeBytes { builder.add($0) } } == [true, true, true, false])
        #expect(try read(Array(builder.message())) == [[], [], []])
    }

    @Test("a line that is longer than a batch makes one of its own")
    func longLine() throws {
        var builder = BatchBuilder(maximumLines: 3, maximumBytes: 50)
        let line = [UInt8](repeating: 0x78, count: 3_000_000)
        #expect(line.withUnsafeBytes { builder.add($0) })
        #expect(!line.withUnsafeBytes { builder.add($0) })
        #expect(try read(Array(builder.message())) == [line])
    }

    @Test("a message that was taken stays as it is when the batch goes on")
    func take() throws {
        var builder = BatchBuilder(maximumLines: 3)
        _ = Array("a".utf8).withUnsafeBytes { builder.add($0) }
        let message = builder.take()
        defer { free(message.baseAddress) }
        #expect(builder.count == 0)
        _ = Array("b".utf8).withUnsafeBytes { builder.add($0) }
        #expect(try read(Array(message)) == [[0x61]])
        #expect(try read(Array(builder.message())) == [[0x62]])
    }

    @Test("no line and no JSON is taken for a batch", arguments: [false, true])
    func lines(keepsNewline: Bool) {
        let text = "\n\nLBA with more than a header\n{\"message\":\"\\nLBA\"}"
        let input = batch(of: [Array("line".utf8)]) + Array(text.utf8)
        var splitter = LineSplitter(maximumLength: 1000, keepsNewline: keepsNewline)
        input.withUnsafeBytes { bytes in
            splitter.add(bytes)
            while let line = splitter.next() { #expect(!BatchFraming.isBatch(line)) }
            splitter.finish()
            while let line = splitter.next() { #expect(!BatchFraming.isBatch(line)) }
        }
    }
}

@Suite struct HostileBatchTests {
    private let good = batch(of: [Array("one".utf8), [], Array("three".utf8)])

    @Test("a batch that is cut anywhere, or goes on behind its end, is refused whole")
    func truncated() {
        for size in 0..<good.count { expectRefused(Array(good[..<size])) }
        expectRefused(good + [0])
        expectRefused(good + [0, 0, 0, 0])
    }

    @Test(
        "a count that the message cannot hold is refused",
        arguments: [0, 2, 4, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff])
    func count(_ count: UInt32) {
        var bytes = good
        bytes.replaceSubrange(8..<12, with: bigEndian(count))
        expectRefused(bytes)
    }

    @Test(
        "a length that reaches behind the message is refused",
        arguments: [17, 0x7fff_ffff, 0xffff_fffb, 0xffff_ffff])
    func length(_ length: UInt32) {
        for place in [12, 19, 23] {
            var bytes = good
            bytes.replaceSubrange(place..<place + 4, with: bigEndian(length))
            expectRefused(bytes)
        }
    }

    @Test("a batch of another version is refused, and the version that is known is named")
    func version() {
        var bytes = good
        bytes[4] = 2
        let error = #expect(throws: LogTransportError.self) { _ = try read(bytes) }
        #expect(error?.code == .protocolViolation)
        #expect(error?.message.contains("version 1") == true)
        bytes[4] = 1
        bytes[7] = 1
        expectRefused(bytes)
    }

    @Test("a message with any bytes changed is refused, or gives as many lines as it says")
    func mutated() {
        var random = SplitMix64.forThisRun()
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            guard let lines = try? read(bytes) else { continue }
            #expect(lines.count == Int(bytes[11]))
            #expect(lines.reduce(12) { $0 + 4 + $1.count } == bytes.count)
        }
    }

    private func expectRefused(_ bytes: [UInt8]) {
        let error = #expect(throws: LogTransportError.self) { _ = try read(bytes) }
        #expect(error?.code == .protocolViolation)
    }

    private func bigEndian(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
}

private func batch(of lines: [[UInt8]]) -> [UInt8] {
    var builder = BatchBuilder(maximumLines: lines.count)
    for line in lines { #expect(line.withUnsafeBytes { builder.add($0) }) }
    return Array(builder.message())
}

/// The lines of a message, which lies at the end of its memory and at an odd address.
private func read(_ message: [UInt8]) throws -> [[UInt8]] {
    try ([0] + message).withUnsafeBytes { bytes in
        var batch = try Batch(UnsafeRawBufferPointer(rebasing: bytes[1...]))
        var lines: [[UInt8]] = []
        while let line = batch.next() { lines.append(Array(line)) }
        #expect(lines.count == batch.count)
        return lines
    }
}
