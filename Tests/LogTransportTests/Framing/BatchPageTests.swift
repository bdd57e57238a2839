import LogTransport
import TestServers
import Testing

@Suite struct BatchPageTests {
    @Test("the receiver in docs/wire.md reads a batch and a line, and refuses what is damaged")
    func foreignReceiver() async throws {
        let page = readText(Repository.file("docs/wire.md"))
        let code = try #require(page.split(separator: "```python\n").dropFirst().first?.split(separator: "```").first)
        var builder = BatchBuilder(maximumLines: 100)
        let lines: [[UInt8]] = [
            Array("first".utf8), [], Array(UInt8.min ... .max), .init(repeating: 0x78, count: 40_000),
        ]
        for line in lines { #expect(line.withUnsafeBytes { builder.add($0) }) }
        let message = Array(builder.message())
        let check = """
            import struct
            \(code)
            frame = bytes.fromhex("\(hexadecimal(message))")
            assert lines(frame) == [bytes.fromhex(line) for line in \(lines.map(hexadecimal))]
            assert lines(b"a line") == [b"a line"] and lines(b"") == [b""]
            for damaged in (frame[:-1], frame + b"x", frame[:4] + b"2" + frame[5:]):
                try:
                    lines(damaged)
                except ValueError:
                    continue
                raise SystemExit("taken")
            print("as it should be")
            """
        try await withTemporaryFolder { folder in
            try writeText(check, to: folder + "/check.py")
            #expect(try await run("python3", [folder + "/check.py"]).output == "as it should be\n")
        }
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String(0x100 + Int($0), radix: 16).dropFirst() }.joined()
    }
}
