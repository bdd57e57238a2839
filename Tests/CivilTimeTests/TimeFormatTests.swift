import CivilTime
import Testing

@Suite struct TimeFormatTests {
    /// What Python's `datetime(2026, 11, 21, 1, 23, 45, 678901, timezone.utc).strftime` writes.
    @Test(
        "moments are written as strftime has them",
        arguments: [
            ("%Y-%m-%dT%H:%M:%S.%f", "2026-11-21T01:23:45.678901"), ("%F %T", "2026-11-21 01:23:45"),
            ("%d/%b/%Y:%H:%M:%S %z", "21/Nov/2026:01:23:45 +0000"), ("%a %j %y %Z", "Sat 325 26 UTC"),
            ("%s", "1795224225"), ("100%%", "100%"), ("", ""),
        ])
    func written(format: String, text: String) throws {
        #expect(try TimeFormat(format).text(of: UTCTime(microseconds: 1_795_224_225_678_901)) == text)
    }

    @Test(
        "what was written is read again",
        arguments: ["%Y-%m-%dT%H:%M:%S.%f", "%F %T.%f", "%s.%f", "%j of %Y, %H%M%S%f", "%a, %d %b %Y %T.%f %z"])
    func read(format: String) throws {
        let format = try TimeFormat(format)
        for microseconds: Int64 in [0, 1_795_224_225_678_901, 951_782_400_000_001, 4_102_444_799_999_999] {
            let time = UTCTime(microseconds: microseconds)
            #expect(format.time(in: format.text(of: time)) == time)
        }
        #expect(format.time(in: "") == nil)
        #expect(format.time(in: format.text(of: .now) + " ") == nil)
    }

    @Test("an unknown directive is named", arguments: ["%Q", "%", "%Y-%q", "%\u{1}"])
    func unknown(format: String) {
        #expect(throws: TimeFormat.Fault.self) { try TimeFormat(format) }
    }

    @Test("what is not a number of the right range is not read")
    func outOfRange() throws {
        for text in ["2026-13-01T00:00:00.000000", "2026-01-01T24:00:00.000000", "2026-1-01T00:00:00.000000"] {
            #expect(TimeFormat.standard.time(in: text) == nil)
        }
        #expect(TimeFormat.standard.time(in: "2026-01-01T00:00:00.000000") != nil)
        for text in ["\(Int.min)", "\(Int.max)", "-", "1-1", "99999999999999999999"] {
            #expect(try TimeFormat("%s").time(in: text) == nil, "\(text)")
        }
    }
}
