import CivilTime
import Logging
import Testing

@testable import LogBroadcast

@Suite struct LogRecordTests {
    @Test("a record has the fields in their order, and is read as it was written")
    func roundTrip() throws {
        var record = LogRecord(
            .warning, "slow \"disk\"\n", machine: "lb-1", logger: "backup",
            time: UTCTime(microseconds: 1_795_224_225_678_901))
        record.pathname = "Backup/Main.swift"
        record.lineno = 42
        record.function = "run()"
        record.exception = "no space left"
        record.pid = 4711
        record.seq = 18_446_744_073_709_551_615
        record.run = "3w5e11264sgsf"
        record.metadata = ["volume": "data", "tries": ["1", "2"], "host": ["name": "lb-1"]]
        #expect(
            String(decoding: record.json, as: UTF8.self)
                == #"{"source":"logger","machine":"lb-1","message":"slow \"disk\"\n","level":"WARNING","#
                + #""pathname":"Backup/Main.swift","lineno":42,"exception":"no space left","#
                + #""timestamp":"2026-11-21T01:23:45.678901Z","logger":"backup","function":"run()","pid":4711,"#
                + #""seq":18446744073709551615,"run":"3w5e11264sgsf","metadata":{"host":{"name":"lb-1"},"tries":["1","2"],"volume":"data"}}"#
        )
        #expect(try LogRecord(json: record.json) == record)
    }

    @Test("a record of the older Python tools is read")
    func python() throws {
        let text = """
            {"source": "logger", "machine": "web7", "message": "caf\\u00e9", "level": "CRITICAL",
             "pathname": "/srv/app.py", "lineno": 12, "exception": null}
            """
        let now = UTCTime.now
        let record = try LogRecord(json: Array(text.utf8), receivedAt: now)
        #expect(record.level == .critical)
        #expect(record.message == "café")
        #expect(record.lineno == 12)
        #expect(record.exception == nil)
        #expect(record.time == now)
        #expect(record.seq == 0)
    }

    @Test("bytes that a Python tool could not decode, and wrote as half of a surrogate pair, are read as U+FFFD")
    func surrogateEscapes() throws {
        let text = #"""
            {"level": "ERROR", "message": "no file 'caf\udce9'", "machine": "\ud83d", "metadata": {"\udcff": "x"}}
            """#
        let record = try LogRecord(json: Array(text.utf8))
        #expect(record.message == "no file 'caf\u{fffd}'")
        #expect(record.machine == "\u{fffd}")
        #expect(record.metadata == ["\u{fffd}": "x"])
    }

    @Test(
        "what is no record is refused with the reason",
        arguments: [
            ("", "not JSON"), ("plain text", "not JSON"), ("[1]", "not a JSON object"),
            (#"{"level":"INFO"}"#, "without 'message'"), (#"{"message":"x"}"#, "without a 'level'"),
            (#"{"message":"x","level":"LOUD"}"#, "without a 'level'"),
        ])
    func refused(text: String, reason: String) throws {
        let error = try #require(throws: LogBroadcastError.self) { try LogRecord(json: Array(text.utf8)) }
        #expect(error.code == .notARecord)
        #expect(error.description.contains(reason))
    }

    @Test("bytes that are not UTF-8 become replacement characters, and do not cost the record")
    func notUTF8() throws {
        let record = try LogRecord(
            json: Array(#"{"message":"x","level":"INFO","machine":""#.utf8) + [0xff, 0x22, 0x7d])
        #expect(record.machine == "\u{fffd}")
        #expect(throws: LogBroadcastError.self) { try LogRecord(json: [0xff, 0xfe]) }
    }

    @Test("a record that is too large is cut between characters, and says by how much")
    func cut() {
        var record = LogRecord(.info, String(repeating: "\u{20ac}", count: 10_000), machine: "a", logger: "a")
        record.exception = "short"
        record.metadata = ["key": "value"]
        let cut = record.cut(to: 4_096)
        // 4,096 bytes less 36 for the mark end within the 1,354th character of three bytes.
        #expect(cut.message == String(repeating: "\u{20ac}", count: 1_353) + "\u{2026} (25941 more bytes)")
        #expect(cut.message.utf8.count <= 4_096 && cut.cut(to: 4_096) == cut)
        #expect(cut.exception == "short")
        #expect(cut.metadata == ["key": "value"])
        #expect(record.cut(to: 1 << 20) == record)
        record.metadata = ["key": .array(Array(repeating: "x", count: 5_000))]
        record.exception = String(repeating: "x", count: 5_000)
        #expect(record.cut(to: 4_096).metadata == ["cut": "5099 bytes of metadata"])
        #expect(record.cut(to: 4_096).exception?.hasSuffix("x\u{2026} (940 more bytes)") == true)
    }

    @Test("metadata read as text: lists and dictionaries as JSON, texts as they are")
    func metadataText() {
        let nested: Logger.MetadataValue = ["b": ["1", "2 \"3\""], "a": ["c": "d"]]
        #expect(nested.text == #"{"a":{"c":"d"},"b":["1","2 \"3\""]}"#)
        #expect(Logger.MetadataValue.string("as \"it\" is").text == "as \"it\" is")
        #expect(Logger.MetadataValue.stringConvertible(7).text == "7")
    }

    @Test("a text is cut from its limit on, and one that has lost its end before is marked")
    func cutText() {
        let text = String(repeating: "x", count: 2_000)
        #expect(CutText(text, to: 2_000).text == text && CutText(text, to: 2_000).missing == 0)
        let cut = CutText(text, to: 1_999)
        #expect(cut.text == String(repeating: "x", count: 1_963) + "\u{2026} (37 more bytes)" && cut.missing == 37)
        #expect(CutText("beginning", to: 2_000, missing: 5).text == "beginning\u{2026} (5 more bytes)")
        let both = CutText(text, to: 2_000, missing: 5)
        #expect(both.missing == 41 && both.text.hasSuffix("x\u{2026} (41 more bytes)"))
    }

    @Test(
        "levels are read by swift-log's names and by Python's names and numbers",
        arguments: [
            ("INFO", Logger.Level.info), ("info", .info), ("NOTSET", .trace), ("WARN", .warning), ("FATAL", .critical),
            ("NOTICE", .notice), ("10", .debug), ("35", .warning), ("50", .critical), ("0", .trace),
        ])
    func levels(name: String, level: Logger.Level) {
        #expect(Logger.Level(recordName: name) == level)
    }
}
