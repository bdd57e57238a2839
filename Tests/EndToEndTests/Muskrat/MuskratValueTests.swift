import CivilTime
import MessageLog
import Testing

@testable import Muskrat

extension EndToEnd {
    @Suite("Values of muskrat's options")
    struct MuskratValueTests {
        @Test(
            "a command line is split into words, and quotes keep them together",
            arguments: [
                ("cat", ["cat"]), ("  a  b\tc ", ["a", "b", "c"]), ("a 'b c' d", ["a", "b c", "d"]),
                (#"a "b 'c'" d"#, ["a", "b 'c'", "d"]), (#"a\ b c"#, ["a b", "c"]), ("a '' b", ["a", "", "b"]),
                (#"a'b'"c""#, ["abc"]), (#"a '\' b"#, ["a", #"\"#, "b"]), ("a $HOME *", ["a", "$HOME", "*"]),
            ] as [(String, [String])])
        func words(text: String, words: [String]) {
            #expect(CommandWords(text)?.words == words)
        }

        @Test("what is no command line is refused", arguments: ["", "  ", "a 'b", "a \"b", "a\\", "''"])
        func noWords(text: String) {
            #expect(CommandWords(text) == nil)
        }

        @Test("a place is the beginning, the end, a number or a time")
        func places() throws {
            #expect(StartPoint(argument: "Beginning")?.start == .beginning)
            #expect(StartPoint(argument: "end")?.start == .end)
            #expect(StartPoint(argument: "18446744073709551615")?.start == .sequence(.max))
            let time = try #require(UTCTime("2026-11-21T00:23:45Z"))
            #expect(StartPoint(argument: "2026-11-21T01:23:45+01:00")?.start == .time(time))
            #expect(StartPoint(argument: "2026-11-21 00:23:45")?.start == .time(time))
        }

        @Test(
            "what is no place is refused",
            arguments: ["", "0", "-1", "18446744073709551616", "soon", "1.5", "2026-11-21"])
        func noPlace(text: String) {
            #expect(StartPoint(argument: text) == nil)
        }
    }
}
