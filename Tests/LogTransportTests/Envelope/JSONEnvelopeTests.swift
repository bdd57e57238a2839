import Glibc
import LogTransport
import TestServers
import Testing

@Suite struct JSONEnvelopeTests {
    @Test("a line becomes an object of message, type and process id")
    func plain() {
        #expect(
            object("  GET / \t", type: "syslog", processID: 42)
                == #"{"message":"  GET / \t","type":"syslog","@pid":42}"#)
        #expect(object("", type: "", processID: 1) == #"{"message":"","type":"","@pid":1}"#)
    }

    @Test("the process id is this process's own unless another is given")
    func processID() {
        var envelope = JSONEnvelope(type: "syslog")
        let text = [UInt8]().withUnsafeBytes { String(decoding: envelope.wrap($0), as: UTF8.self) }
        #expect(text == #"{"message":"","type":"syslog","@pid":\#(getpid())}"#)
    }

    @Test("a type is escaped like a message")
    func type() {
        #expect(
            object("a", type: "\u{7}\"\\ü\n", processID: 7)
                == #"{"message":"a","type":"\u0007\"\\ü\n","@pid":7}"#)
    }

    @Test("what is invalid is replaced, or the line is taken whole in another encoding, which is named")
    func encodings() {
        let line: [UInt8] = [0x61, 0xc3, 0xa4, 0xff, 0xe2, 0x82, 0x22]
        func object(_ encoding: LineEncoding) -> String {
            var envelope = JSONEnvelope(type: "t", processID: 1, encoding: encoding)
            return line.withUnsafeBytes { String(decoding: envelope.wrap($0), as: UTF8.self) }
        }
        #expect(object(.replace) == #"{"message":"aä\#u{fffd}\#u{fffd}\"","type":"t","@pid":1}"#)
        #expect(
            object(.latin1)
                == #"{"message":"aÃ¤ÿâ\#u{82}\"","type":"t","@pid":1,"encoding":"latin1"}"#)
        #expect(object(.base64) == #"{"message":"YcOk/+KCIg==","type":"t","@pid":1,"encoding":"base64"}"#)
    }

    @Test("lines that are not UTF-8 are counted", arguments: LineEncoding.allCases)
    func count(encoding: LineEncoding) {
        var envelope = JSONEnvelope(type: "t", encoding: encoding)
        for line in [Array("ä".utf8), [0xff], [], [0xff, 0xff], [0xc3]] {
            line.withUnsafeBytes { _ = envelope.wrap($0) }
        }
        #expect(envelope.invalidLines == 3)
    }

    @Test("an object in pieces is the object, wherever a piece ends", arguments: LineEncoding.allCases)
    func pieces(encoding: LineEncoding) {
        var random = SplitMix64.forThisRun()
        var envelope = JSONEnvelope(type: "t", processID: 1, encoding: encoding)
        var lines = (0..<30).map { _ in randomLine(Int.random(in: 0...60_000, using: &random), using: &random) }
        // Characters, halves of characters and bytes that are none across the end of the first piece.
        for character in [
            Array("ä".utf8), Array("€".utf8), Array("𝄞".utf8), [0x80], [0xe2, 0x82], [0xf0, 0x9f, 0x92],
        ] {
            for start in 8170...8200 {
                let plain = [UInt8](repeating: 0x61, count: start)
                lines.append(plain + character)
                lines.append(plain + (0..<8).flatMap { _ in character } + plain)
            }
        }
        for line in lines {
            line.withUnsafeBytes { line in
                var pieces: [UInt8] = []
                var longest = 0
                envelope.forEachPiece(of: line) { piece in
                    pieces += piece
                    longest = max(longest, piece.count)
                }
                #expect(pieces == Array(envelope.wrap(line)))
                #expect(longest < 65_536)
            }
        }
    }

    @Test("an object takes what is said of its size and not a byte more", arguments: LineEncoding.allCases)
    func size(encoding: LineEncoding) {
        var random = SplitMix64.forThisRun()
        var envelope = JSONEnvelope(type: "t", processID: 1, encoding: encoding)
        for count in Array(0..<300) + [8191, 8192, 8193, 100_000] {
            for line in [
                randomLine(count, using: &random), .init(repeating: 0x01, count: count),
                .init(repeating: 0x01, count: count) + [0xff], .init(repeating: 0xff, count: count),
                .init(repeating: 0x22, count: count), .init(repeating: 0x78, count: count) + [0xf0, 0x9f],
            ] {
                line.withUnsafeBytes { bytes in
                    let wrapped = Array(envelope.wrap(bytes))
                    let size = envelope.size(of: bytes)
                    var target = [UInt8](repeating: 0xee, count: size + 16)
                    let written = target.withUnsafeMutableBytes { target in
                        target.baseAddress.map { envelope.write(bytes, to: $0) }
                    }
                    #expect(wrapped.count == size)
                    #expect(written == size)
                    #expect(target[..<size].elementsEqual(wrapped))
                    #expect(target[size...].allSatisfy { $0 == 0xee })
                }
            }
        }
    }

    @Test("an object is at most six times its line, and what is around it")
    func worstCase() {
        let size = [UInt8](repeating: 0x1f, count: 1 << 20).withUnsafeBytes {
            JSONEnvelope(type: "t", processID: 1).size(of: $0)
        }
        #expect(size == 6 << 20 + #"{"message":"","type":"t","@pid":1}"#.utf8.count)
    }
}

private func object(_ line: String, type: String, processID: Int32) -> String {
    var envelope = JSONEnvelope(type: type, processID: processID)
    return Array(line.utf8).withUnsafeBytes { String(decoding: envelope.wrap($0), as: UTF8.self) }
}
