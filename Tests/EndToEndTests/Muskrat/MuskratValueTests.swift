import CivilTime
import Glibc
import MessageLog
import SystemPackage
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

        @Test("a pipe takes what it has room for, and what it has not is not waited for")
        func input() {
            for (size, isWhole) in [(0, true), (1, true), (4096, true), (4097, false), (65_536, false)] {
                var ends: [Int32] = [-1, -1]
                #expect(pipe(&ends) == 0)
                // F_SETPIPE_SZ: as small as the kernel makes them for a user who has many.
                #expect(fcntl(ends[1], 1031, 4096) == 4096)
                #expect(ProgramInput.fill(ends[1], with: [UInt8](repeating: 7, count: size)) == isWhole)
                for end in ends { close(end) }
            }
        }

        @Test("a program's input is all there, however much it is", arguments: [0, 5, 65_536, 65_537, 3 << 20])
        func inputs(size: Int) async throws {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            let file = try await ProgramInput().descriptor(holding: bytes)
            defer { try? file.close() }
            var got: [UInt8] = []
            var block = [UInt8](repeating: 0, count: 1 << 16)
            while case let count = try block.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
                got += block.prefix(count)
            }
            #expect(got == bytes)
        }

        @Test("a cursor's age is told in the largest unit")
        func ages() {
            let now = UTCTime.now
            for (seconds, text) in [
                (0, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (86_400 * 400, "400d"), (-5, "0s"),
            ]
                as [(Int64, String)]
            {
                #expect(
                    CursorPlaces.age(since: UTCTime(microseconds: now.microseconds - seconds * 1_000_000), now) == text)
            }
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
