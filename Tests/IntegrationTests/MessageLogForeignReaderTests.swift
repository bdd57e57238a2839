import CivilTime
import Logging
import MessageLog
import ObjectStorage
import SystemPackage
import TestServers
import Testing

/// A log read by a program that knows nothing but what docs/message-log.md says.
@Suite(.timeLimit(.minutes(1))) struct MessageLogForeignReaderTests {
    @Test("a program in Python reads the same from a log's folder as a consumer here")
    func agrees() async throws {
        try await withTemporaryFolder { folder in
            let broker = try LogBroker(store: FileObjectStore(root: FilePath("\(folder)/log")), logger: quietLogger)
            let key = try RoutingKey("Some.Key")
            let writer = try await broker.makeWriter(for: key)
            for number in 1...30 {
                var batch = MessageBatch()
                for part in 0..<number % 7 + 1 {
                    let body = [UInt8](repeating: UInt8(number * 8 + part & 255), count: part == 3 ? 0 : number * 40)
                    batch.append(body, at: UTCTime(microseconds: Int64(number) * 1_000_000 - Int64(part) * 700_000))
                }
                try await writer.append(batch)
            }
            await writer.close()

            let reader = try await broker.makeReader(
                of: RoutingPattern(key), for: .standard, options: ReaderOptions())
            var ours: [String] = []
            while case let some = try await reader.next(), !some.isEmpty {
                ours += some.map { message in
                    "\(message.position) \(message.time.microseconds) \(message.body.count) \(message.body.first ?? 0)"
                }
            }
            await reader.close()
            #expect(ours.count > 100)

            try writeText(Self.script, to: "\(folder)/read.py")
            let (code, output) = try await run("python3", ["\(folder)/read.py", "\(folder)/log/SOME/KEY"])
            #expect(code == 0, "\(output)")
            #expect(output.split(separator: "\n").map(String.init) == ours)

            // It is the checksums that it goes by, too.
            try writeText("x", to: "\(folder)/log/SOME/KEY/log/00000000000000000007")
            #expect(try await run("python3", ["\(folder)/read.py", "\(folder)/log/SOME/KEY"]).0 != 0)
            await broker.close()
        }
    }

    /// It writes a line for each message: number, time, length, and first byte.
    private static let script = """
        import json, os, struct, sys

        table = []
        for byte in range(256):
            for _ in range(8):
                byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
            table.append(byte)

        def crc32c(data):
            crc = 0xFFFFFFFF
            for byte in data:
                crc = table[(crc ^ byte) & 255] ^ crc >> 8
            return crc ^ 0xFFFFFFFF

        assert crc32c(b"123456789") == 0xE3069283
        folder = sys.argv[1]
        number, sequence, last = 1, 1, None
        if os.path.exists(folder + "/start"):
            start = json.load(open(folder + "/start"))
            number, sequence = start["segment"], start["sequence"]
        while os.path.exists(folder + "/log/%020d" % number):
            data = open(folder + "/log/%020d" % number, "rb").read()
            magic, version, count, own, first, time, writer, batch, size, checksum, _, sealed = struct.unpack_from(
                "<8sIIQQq16sQIIII", data)
            assert magic == b"LIBRALOG" and version == 1 and sealed == crc32c(data[:76])
            assert own == number and first == sequence and (last is None or time >= last)
            records = data[80:]
            assert len(records) == size and checksum == crc32c(records)
            offset = 0
            for index in range(count):
                length, sent = struct.unpack_from("<Iq", records, offset)
                body = records[offset + 12:offset + 12 + length]
                assert len(body) == length and sent <= time
                print(first + index, sent, length, body[0] if body else 0)
                offset += 12 + length
            assert offset == size
            number, sequence, last = number + 1, first + count, time
        """
}
