import LogTransport
import TestServers
import Testing

/// Python's parser and decoders read what the envelope writes.
@Suite struct JSONReadBackTests {
    @Test("every byte in every position and every pair of bytes is read back", arguments: LineEncoding.allCases)
    func everyByte(encoding: LineEncoding) async throws {
        var lines: [[UInt8]] = [[]]
        for byte in UInt8.min ... .max {
            // Around the eight bytes that are looked at together, with plain and other characters before and behind.
            for length in [1, 7, 8, 9, 15, 16, 17, 24] {
                for place in 0..<length {
                    lines.append((0..<length).map { $0 == place ? byte : 0x41 + UInt8($0) })
                }
            }
            for place in 0...9 {
                var line = Array("äöü€𝄞ßxyz".utf8)
                line.insert(byte, at: place)
                lines.append(line)
            }
            for second in UInt8.min ... .max { lines.append([byte, second]) }
        }
        try await expectReadBack(lines, encoding: encoding)
    }

    @Test("all beginnings of characters and what comes close to one are read back", arguments: LineEncoding.allCases)
    func sequences(encoding: LineEncoding) async throws {
        let edges: [UInt8] = [0x22, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0]
        var lines: [[UInt8]] = []
        for first in UInt8(0xc0)...0xff {
            for second in edges {
                for third in edges {
                    lines.append([first, second, third])
                    for fourth in edges { lines.append([0x61, first, second, third, fourth, 0x62]) }
                }
            }
        }
        try await expectReadBack(lines, encoding: encoding)
    }

    @Test("random lines and long ones are read back", arguments: LineEncoding.allCases)
    func random(encoding: LineEncoding) async throws {
        var random = SplitMix64.forThisRun()
        var lines = (0..<3000).map { _ in randomLine(Int.random(in: 0...300, using: &random), using: &random) }
        for count in [8191, 8192, 8193, 1 << 20] {
            lines.append(randomLine(count, using: &random))
            lines.append(.init(repeating: 0x02, count: count))
        }
        try await expectReadBack(lines, encoding: encoding)
    }

    private func expectReadBack(_ lines: [[UInt8]], encoding: LineEncoding) async throws {
        let type = "Zoë's \"type\" \\ \u{1}\t/ 漢"
        var envelope = JSONEnvelope(type: type, processID: 4711, encoding: encoding)
        var objects: [UInt8] = []
        var originals = ""
        for line in lines {
            line.withUnsafeBytes { objects += envelope.wrap($0) }
            objects.append(0x0a)
            originals += line.map { String(0x100 + Int($0), radix: 16).dropFirst() }.joined() + "\n"
        }
        let (objectText, originalText) = (String(decoding: objects, as: UTF8.self), originals)
        #expect(objectText.utf8.elementsEqual(objects), "the objects are not UTF-8")
        let invalid = envelope.invalidLines
        try await withTemporaryFolder { folder in
            try writeText(objectText, to: folder + "/objects")
            try writeText(originalText, to: folder + "/originals")
            try writeText(reader, to: folder + "/reader.py")
            try writeText(type, to: folder + "/type")
            let (exitCode, output) = try await run("python3", [folder + "/reader.py", folder, encoding.rawValue])
            #expect(output == "\(lines.count) lines, \(invalid) invalid\n")
            #expect(exitCode == 0)
        }
    }
}

/// Checks each object against the bytes that it was made of.
private let reader = #"""
    import base64, json, sys

    folder, encoding = sys.argv[1:]
    kind = open(folder + "/type", encoding="utf-8").read()
    objects = open(folder + "/objects", "rb").read().split(b"\n")
    assert objects.pop() == b""
    originals = [bytes.fromhex(line) for line in open(folder + "/originals").read().split("\n")[:-1]]
    assert len(objects) == len(originals), (len(objects), len(originals))
    invalid = 0
    for text, line in zip(objects, originals):
        read = json.loads(text.decode("utf-8"))
        expected = {"message": None, "type": kind, "@pid": 4711}
        try:
            expected["message"] = line.decode("utf-8")
        except UnicodeDecodeError:
            invalid += 1
            if encoding == "replace":
                expected["message"] = line.decode("utf-8", "replace")
            else:
                expected["encoding"] = encoding
                expected["message"] = line.decode("latin-1") if encoding == "latin1" else base64.b64encode(line).decode()
        assert read == expected and list(read) == list(expected), (line, text)
    print(len(objects), "lines,", invalid, "invalid")
    """#
