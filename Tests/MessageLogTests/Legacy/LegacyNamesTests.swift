import CivilTime
import Testing

@testable import MessageLog

@Suite struct LegacyNamesTests {
    @Test("a message is named after its time in UTC")
    func standard() throws {
        let names = try LegacyNames(.standard)
        let time = try #require(UTCTime("2026-11-21T01:23:45.678901"))
        #expect(names.name(of: time) == "2026-11-21T01:23:45.678901")
        #expect(names.time(of: "2026-11-21T01:23:45.678901") == time)
    }

    @Test("a format without microseconds gets them behind it, so that names stay unique and sort")
    func seconds() throws {
        let names = try LegacyNames(TimeFormat("%Y%m%d-%H%M%S"))
        let time = try #require(UTCTime("2026-11-21T01:23:45.000901"))
        #expect(names.name(of: time) == "20261121-012345-000901")
        #expect(names.time(of: "20261121-012345-000901") == time)
        // As the old library writes it.
        #expect(names.time(of: "20261121-012345") == UTCTime("2026-11-21T01:23:45"))
    }

    @Test("a name with a part of chance has the time before it")
    func chance() throws {
        let names = try LegacyNames(.standard)
        let time = try #require(UTCTime("2026-11-21T01:23:45.678901"))
        #expect(names.name(of: time, chance: 0xab) == "2026-11-21T01:23:45.678901-000000ab")
        #expect(names.time(of: "2026-11-21T01:23:45.678901-000000ab") == time)
    }

    @Test("a name that Python's isoformat() wrote without microseconds is one")
    func isoformat() throws {
        #expect(try LegacyNames(.standard).time(of: "2026-11-21T01:23:45") == UTCTime("2026-11-21T01:23:45"))
    }

    @Test(
        "other names are none",
        arguments: [
            "", "start", "log", "README.md", "2026-11-21", "2026-11-21T01:23:45.6789", "2026-13-21T01:23:45.678901",
            "2026-11-21T01:23:45.678901-", "2026-11-21T01:23:45.678901-0000000", "2026-11-21T01:23:45.678901-0000000G",
            "2026-11-21T01:23:45.678901Z", "x2026-11-21T01:23:45.678901", "2026-11-21T01:23:45.678901.tmp",
        ])
    func others(name: String) throws {
        #expect(try LegacyNames(.standard).time(of: name) == nil)
    }

    @Test(
        "a format whose names would not sort as times do, or would lead elsewhere, is refused",
        arguments: [
            "%d.%m.%Y %H:%M:%S.%f", "%Y-%m-%d", "%H:%M:%S.%f", "%Y/%m/%dT%H:%M:%S.%f", "%Y-%b-%dT%H:%M:%S.%f",
            "%Y %m %d %H %M %S %f", "%Y-%m-%dT%H:%M", "always",
        ])
    func refused(format: String) throws {
        let format = try TimeFormat(format)
        #expect { try LegacyNames(format) } throws: { code($0) == .invalidArgument }
    }

    @Test("other formats that sort are taken", arguments: ["%F-%T.%f", "%Y%m%d%H%M%S%f", "%Y-%jT%H%M%S", "m%sx%f"])
    func taken(format: String) throws {
        let names = try LegacyNames(TimeFormat(format))
        let time = try #require(UTCTime("2026-11-21T01:23:45.678901"))
        #expect(names.time(of: names.name(of: time)) == time)
    }
}
