import CommandKit
import LogCommands
import Logging
import Testing

@Suite("Values of the log commands' options")
struct CommandValueTests {
    private static let sizes: [(String, Int)] = [
        ("0", 0), ("4096", 4096), ("1B", 1), ("1KiB", 1024), ("64kib", 65_536), ("1MiB", 1_048_576),
        ("1GiB", 1_073_741_824), ("2 GiB", 2_147_483_648), ("1TiB", 1_099_511_627_776), ("5kB", 5000),
        ("5MB", 5_000_000), ("5GB", 5_000_000_000), ("1k", 1024), ("3M", 3_145_728), ("1G", 1_073_741_824),
    ]

    @Test("a size is read with and without its unit", arguments: sizes)
    func size(text: String, bytes: Int) {
        #expect(ByteSize(text)?.bytes == bytes)
    }

    @Test(
        "what is no size is refused",
        arguments: [
            "", "GiB", "-1", "1.5GiB", "1GiBs", "1 Gi B", "0x10", "9223372036854775807KiB", "99999999999999999999",
        ])
    func noSize(text: String) {
        #expect(ByteSize(text) == nil)
    }

    @Test("a size is written in the largest unit that fits, and can be read again")
    func sizeText() {
        for (bytes, text) in [
            (0, "0B"), (100, "100B"), (1024, "1KiB"), (1536, "1536B"), (3 << 20, "3MiB"), (1 << 30, "1GiB"),
        ] {
            #expect("\(ByteSize(bytes: bytes))" == text)
            #expect(ByteSize(text)?.bytes == bytes)
        }
    }

    @Test(
        "a length of time is read with and without its unit",
        arguments: [
            ("5ms", Duration.milliseconds(5)), ("30s", .seconds(30)), ("30", .seconds(30)),
            ("1.5s", .milliseconds(1500)),
            ("0.25", .milliseconds(250)), ("2m", .seconds(120)), ("1h", .seconds(3600)), ("7d", .seconds(604_800)),
            ("10 us", .microseconds(10)),
            ("0", .zero), ("0s", .zero), ("0.001ms", .microseconds(1)),
        ])
    func span(text: String, duration: Duration) {
        #expect(TimeSpan(text)?.duration == duration)
    }

    @Test(
        "what is no length of time is refused",
        arguments: [
            "", "s", "-1s", "1.s", ".5s", "1.2345s", "1s2", "1 w", "2147483647d", "soon", "1..5s", "0.001us",
            "99999999999s",
        ])
    func noSpan(text: String) {
        #expect(TimeSpan(text) == nil)
    }

    @Test("a linger may have no limit")
    func linger() {
        #expect(Linger("forever") == .forever)
        #expect(Linger("-1") == .forever)
        #expect(Linger("500ms")?.limit == .milliseconds(500))
        #expect(Linger("-2") == nil)
        #expect(Linger("for ever") == nil)
        #expect("\(Linger.atMost(TimeSpan(.milliseconds(1500))))" == "1500ms")
        // What is written is read again: settings are handed on as text.
        for text in ["30.001d", "36500d", "0.001ms"] {
            let linger = Linger(text)
            #expect(linger != nil && Linger("\(linger ?? .forever)") == linger, "\(text)")
        }
    }

    @Test(
        "a verbosity is a name or a number of Python's logging module",
        arguments: [
            ("DEBUG", Logger.Level.debug), ("info", .info), ("Warning", .warning), ("WARN", .warning),
            ("ERROR", .error),
            ("CRITICAL", .critical), ("FATAL", .critical), ("0", .trace), ("10", .debug), ("20", .info), ("25", .info),
            ("30", .warning), ("40", .error), ("50", .critical), ("60", .critical),
        ])
    func verbosity(text: String, level: Logger.Level) {
        #expect(Verbosity(text)?.level == level)
    }

    @Test("what is no verbosity is refused", arguments: ["", "LOUD", "-1", "2.5"])
    func noVerbosity(text: String) {
        #expect(Verbosity(text) == nil)
    }
}
