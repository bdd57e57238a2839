import CivilTime
import ObjectStorage
import TestServers
import Testing

@testable import MessageLog

@Suite struct LegacyCursorTests {
    private let key: RoutingKey
    private let name: ConsumerName

    init() throws {
        key = try RoutingKey("A.B")
        name = try ConsumerName("default")
    }

    @Test("a cursor tells the message that comes next, and how many wait")
    func shows() async throws {
        let stand = try LegacyStand()
        let broker = try stand.broker()
        for number in 1...4 { try await stand.put("2026-11-21T00:00:0\(number).000000", "\(number)") }
        await #expect { try await broker.cursor(name, of: key, in: nil) } throws: { code($0) == .notFound }
        #expect(try await broker.cursors(of: key, in: nil).isEmpty)
        let reader = try await broker.makeReader(of: RoutingPattern(key), for: name, options: ReaderOptions())
        let messages = try await reader.next()
        try await reader.commit(through: messages[1])
        await reader.close()
        let info = try await broker.cursor(name, of: key, in: nil)
        #expect(info.next == .name("2026-11-21T00:00:03.000000"))
        #expect(info.waiting == 2)
        #expect(info.moved == stand.now)
        #expect(try await broker.cursors(of: key, in: nil) == [info])
    }

    @Test("a cursor can be set, copied and deleted")
    func moves() async throws {
        let stand = try LegacyStand()
        let broker = try stand.broker()
        let other = try ConsumerName("other")
        for number in 1...4 { try await stand.put("2026-11-21T00:00:0\(number).000000", "\(number)") }
        #expect(try await stand.consume().count == 4)
        let time = try #require(UTCTime("2026-11-21T00:00:03"))
        #expect(try await broker.setCursor(name, of: key, in: nil, to: .time(time)).waiting == 2)
        #expect(try await broker.copyCursor(name, to: other, of: key, in: nil).waiting == 2)
        #expect(try await stand.consume() == ["3", "4"])
        #expect(try await stand.consume(name: "other") == ["3", "4"])
        #expect(try await broker.setCursor(name, of: key, in: nil, to: .beginning).waiting == 4)
        #expect(try await broker.setCursor(name, of: key, in: nil, to: .end).waiting == 0)
        try await broker.deleteCursor(name, of: key, in: nil)
        #expect(try await broker.cursors(of: key, in: nil).map(\.name) == [other])
        #expect(try await stand.consume().count == 4)
        await #expect {
            try await broker.setCursor(name, of: key, in: nil, to: .sequence(1))
        } throws: { code($0) == .unsupported }
    }

    @Test("a consumer whose cursor is set meanwhile goes on where it is then")
    func setMeanwhile() async throws {
        let stand = try LegacyStand()
        let broker = try stand.broker()
        try await stand.send(["1", "2"])
        let reader = try await broker.makeReader(of: RoutingPattern(key), for: name, options: ReaderOptions())
        let messages = try await reader.next()
        try await broker.setCursor(name, of: key, in: nil, to: .end)
        await #expect { try await reader.commit(through: messages[0]) } throws: { code($0) == .leaseLost }
        #expect(try await reader.next().isEmpty)
    }

    @Test("a cursor that is corrupt can be set anew")
    func setCorrupt() async throws {
        let stand = try LegacyStand()
        try await stand.send(["1"])
        try await stand.put("cursors/default", "{")
        #expect(try await stand.broker().setCursor(name, of: key, in: nil, to: .beginning).waiting == 1)
        #expect(try await stand.consume() == ["1"])
    }

    @Test("cursors are kept in a folder if one is named, also where the store has no conditional puts")
    func inFolder() async throws {
        try await withTemporaryFolder { folder in
            let stand = try LegacyStand(isConditional: false)
            try await stand.send(["1", "2"])
            let options = ReaderOptions(cursorFolder: folder)
            #expect(try await stand.consume(options: options).count == 2)
            #expect(try await stand.consume(options: options) == [])
            let broker = try stand.broker()
            #expect(try await broker.cursors(of: key, in: folder).map(\.name) == [name])
            #expect(try await broker.cursors(of: key, in: nil).isEmpty)
            await broker.close()
        }
    }
}
