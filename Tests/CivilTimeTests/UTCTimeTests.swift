import CivilTime
import Testing

@Suite struct UTCTimeTests {
    @Test("a moment that cannot be written is the nearest that can")
    func clamped() {
        #expect(UTCTime(microseconds: .min).description == "0000-01-01T00:00:00.000000Z")
        #expect(UTCTime(microseconds: .max).description == "9999-12-31T23:59:59.999999Z")
        #expect(UTCTime("9999-12-31T23:59:60Z") == UTCTime.range.upperBound)
        #expect(UTCTime("0000-01-01T00:00:00+01:00") == UTCTime.range.lowerBound)
    }

    @Test("a date that there is not is none", arguments: ["2026-02-29", "2026-02-31", "2026-04-31", "1900-02-29"])
    func noDate(date: String) {
        #expect(UTCTime(date + "T00:00:00Z") == nil)
        #expect(UTCTime("2024-02-29T00:00:00Z") != nil)
    }

    @Test(
        "moments are written as RFC 3339 has them, and read again",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_795_224_225_678_901, "2026-11-21T01:23:45.678901Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        ])
    func written(microseconds: Int64, text: String) {
        #expect(UTCTime(microseconds: microseconds).description == text)
        #expect(UTCTime(text)?.microseconds == microseconds)
    }

    @Test(
        "other spellings of a moment are read",
        arguments: [
            "2026-11-21T01:23:45.678901+00:00", "2026-11-21 01:23:45.678901", "2026-11-21T03:23:45.6789010+02:00",
            "2026-11-20t20:23:45.678901999-0500",
        ])
    func read(text: String) {
        #expect(UTCTime(text)?.microseconds == 1_795_224_225_678_901)
    }

    @Test(
        "what is no moment is none",
        arguments: [
            "", "now", "2026-11-21", "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T01:23:45.Z",
            "2026-11-21T01:23:45ZZ", "2026-11-21T01:23:45+1", "1795224225",
        ])
    func refused(text: String) {
        #expect(UTCTime(text) == nil)
    }

    @Test(
        "moments are written with a space, as METRICS has them",
        arguments: [
            (0, "1970-01-01 00:00:00.000000"), (1_795_244_440_000_007, "2026-11-21 07:00:40.000007"),
            (-1, "1969-12-31 23:59:59.999999"), (951_782_400_500_000, "2000-02-29 00:00:00.500000"),
        ] as [(Int64, String)])
    func spaced(_ microseconds: Int64, _ text: String) {
        #expect(UTCTime(microseconds: microseconds).spaced == text)
    }
}
