import LogBroadcast
import Logging
import Testing

@Suite struct RecordFilterTests {
    @Test(
        "a pattern stands for the whole name",
        arguments: [
            ("lb-*", "lb-1", true), ("lb-*", "xlb-1", false), ("*", "", true), ("", "", true), ("", "a", false),
            ("?b-1", "lb-1", true), ("?", "", false), ("*-1", "lb-1-1", true), ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false), ("LB-*", "lb-1", false), ("[a]", "a", false),
        ])
    func patterns(pattern: String, name: String, matches: Bool) {
        #expect(NamePattern(pattern).matches(name) == matches)
    }

    @Test("a pattern of many stars does not take for ever")
    func manyStars() {
        let pattern = NamePattern(String(repeating: "a*", count: 50) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 5000)))
    }

    @Test("a record passes when everything that is asked for is so")
    func filter() {
        var record = LogRecord(.warning, "disk full", machine: "lb-1", logger: "backup")
        record.metadata = ["volume": "data"]
        var filter = RecordFilter()
        #expect(filter.allows(record))
        filter.level = .error
        #expect(!filter.allows(record))
        filter.level = .warning
        filter.machines = [NamePattern("web-*"), NamePattern("lb-*")]
        filter.loggers = [NamePattern("backup")]
        #expect(filter.allows(record))
        filter.text = { $0.contains("volume=data") }
        #expect(filter.allows(record))
        filter.text = { $0.contains("nothing") }
        #expect(!filter.allows(record))
        filter.text = nil
        filter.loggers = [NamePattern("other")]
        #expect(!filter.allows(record))
    }
}
