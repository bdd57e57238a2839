import Glibc
import Logging
import Synchronization
import Testing

@testable import DaemonKit

@Suite struct LogLineTests {
    private let form = LogLine(program: "libra_worker", processID: 4711)
    private let moment = LogTimestamp(seconds: 1_795_224_225, milliseconds: 67)

    private func line(_ message: String, _ metadata: Logger.Metadata = [:]) -> String {
        String(decoding: form.bytes(.info, message, metadata: metadata, at: moment), as: UTF8.self)
    }

    @Test("a line has time, level, program, number, message, and metadata sorted by key")
    func form_() {
        #expect(
            line("started", ["z": "1", "a": "two words", "q": "say \"x\\y\"", "e": "", "p": "C:\\x", "l": ["u", "v"]])
                == "2026-11-21T01:23:45.067Z info libra_worker[4711]: started a=\"two words\" e=\"\" "
                + "l=\"[\\\"u\\\", \\\"v\\\"]\" p=C:\\x q=\"say \\\"x\\\\y\\\"\" z=1\n")
    }

    @Test("nothing in a message, key or value can begin a line or steer a terminal")
    func injection() {
        let evil = "a\nb\r\t\u{0}\u{7f}\u{1b}[2J\u{9b}\u{85}\u{2028}\u{202e}é日"
        let text = line(evil, ["k\n": .string(evil)])
        #expect(text.dropLast().unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
        #expect(text.contains("a\\nb\\r\\t\\x00\\x7f\\x1b[2J\\x9b\\x85\\u{2028}\\u{202e}é日"))
    }

    @Test("times are the calendar's, in any century")
    func times() {
        var random = SystemRandomNumberGenerator()
        let notable: [Int64] = [0, -1, 951_782_400, 1_709_164_799, 4_107_542_400, 253_402_300_799, -62_135_596_800]
        for seconds in notable + (0..<2000).map({ _ in Int64.random(in: 0..<10_000_000_000, using: &random) }) {
            var time = time_t(seconds)
            var fields = tm()
            gmtime_r(&time, &fields)
            var buffer = [CChar](repeating: 0, count: 64)
            let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S.000Z", &fields)
            var expected = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            while expected.utf8.count < 24 { expected = "0" + expected }
            var bytes: [UInt8] = []
            LogTimestamp(seconds: seconds, milliseconds: 0).append(to: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == expected)
        }
    }

    @Test("a handler honours its level, and an event's metadata win over the logger's and the provider's")
    func handler() {
        final class Lines: LogDestination {
            let lines = Mutex<[String]>([])
            func write(_ line: [UInt8]) { lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
        }
        struct Odd: Error, CustomStringConvertible { var description: String { "odd\n" } }
        let lines = Lines()
        var logger = Logger(label: "x") { _ in LineLogHandler(program: "p", to: lines, level: .info) }
        logger.handler.metadataProvider = Logger.MetadataProvider { ["a": "provider", "b": "provider"] }
        logger[metadataKey: "b"] = "logger"
        logger[metadataKey: "c"] = "logger"
        logger.debug("unseen")
        logger.warning("seen", error: Odd(), metadata: ["c": "event"])
        let written = lines.lines.withLock { $0 }
        #expect(written.count == 1)
        #expect(
            written.first?.hasSuffix(" warning p[\(getpid())]: seen a=provider b=provider c=event error=odd\\n\n")
                == true)
    }
}
