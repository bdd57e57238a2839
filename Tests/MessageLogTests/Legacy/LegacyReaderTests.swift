import CivilTime
import JSON
import ObjectStorage
import Testing

@testable import MessageLog

@Suite struct LegacyReaderTests {
    private func message(_ broker: LegacyBroker, _ options: ReaderOptions = ReaderOptions()) async throws
        -> any MessageReader
    {
        try await broker.makeReader(of: RoutingPattern("A.B"), for: .standard, options: options)
    }

    @Test("what the old library wrote is read in the order of its names, and what else is there is not")
    func reads() async throws {
        let stand = try LegacyStand()
        try await stand.put("2026-11-21T01:00:00.000002", "2")
        try await stand.put("2026-11-21T01:00:00.000001", "1")
        try await stand.put("2026-11-21T01:00:01", "3")
        for other in [
            "README", "start", "2026", "log/00000000000000000001", "cursors/x", "C/2026-11-21T01:00:00.000001",
        ] {
            try await stand.put(other, "other")
        }
        let reader = try await message(stand.broker())
        let messages = try await reader.next()
        #expect(messages.map(\.text) == ["1", "2", "3"])
        #expect(
            messages.map(\.time.withoutZone) == (1...2).map { "2026-11-21T01:00:00.00000\($0)" } + [
                "2026-11-21T01:00:01.000000"
            ])
        #expect(messages[0].position == .name("2026-11-21T01:00:00.000001"))
        #expect(messages[0].key.description == "A.B")
    }

    @Test("a message that turns up behind the cursor is delivered, once")
    func late() async throws {
        let stand = try LegacyStand()
        for number in 1...3 { try await stand.put("2026-11-21T01:23:4\(number).000000", "\(number)") }
        #expect(try await stand.consume() == ["1", "2", "3"])
        try await stand.put("2026-11-21T01:23:42.500000", "late")
        #expect(try await stand.consume() == ["late"])
        #expect(try await stand.consume() == [])
        stand.advance(.seconds(5))
        try await stand.put("2026-11-21T01:23:50.000000", "4")
        try await stand.put("2026-11-21T01:23:41.500000", "later")
        #expect(try await stand.consume() == ["later", "4"])
    }

    @Test("a message that turns up later than the look-back is not delivered")
    func tooLate() async throws {
        let stand = try LegacyStand()
        try await stand.send(["1"])
        stand.advance(.seconds(60))
        try await stand.send(["2"])
        #expect(try await stand.consume() == ["1", "2"])
        try await stand.put("2026-11-21T01:23:44.000000", "too late")
        #expect(try await stand.consume() == [])
    }

    @Test("with a longer look-back a sender whose names are hours behind is read, too")
    func timeZones() async throws {
        let stand = try LegacyStand()
        let broker = try stand.broker(LegacyOptions(lookBack: .seconds(6 * 3600)))
        for number in 1...20 {
            stand.advance(.seconds(600))
            try await stand.send(["utc \(number)"], by: broker)
            let local = UTCTime(microseconds: stand.now.microseconds - 5 * 3600 * 1_000_000)
            try await stand.put(local.withoutZone, "local \(number)")
            #expect(try await stand.consume(by: broker) == ["local \(number)", "utc \(number)"])
        }
    }

    @Test("messages named after a time to come, as by a sender in another time zone, keep nobody back")
    func timeToCome() async throws {
        let stand = try LegacyStand()
        for number in 1...20 {
            stand.advance(.seconds(600))
            let local = UTCTime(microseconds: stand.now.microseconds + 2 * 3600 * 1_000_000)
            try await stand.put(local.withoutZone, "local \(number)")
            try await stand.send(["utc \(number)"])
            #expect(try await stand.consume() == ["utc \(number)", "local \(number)"])
        }
        // Only names that the time has not reached are remembered: two hours of them, and one of now.
        let cursor = try await JSONValue(parsing: stand.store.get(ObjectKey("p/A/B/cursors/default")).bytes)
        #expect(try #require(cursor["handled"]?.array).count <= 14)
    }

    @Test("thousands of messages are listed by the page")
    func pages() async throws {
        let stand = try LegacyStand()
        for number in 0..<2500 {
            try await stand.put("2026-11-20T01:00:00.00\(String(number + 10_000).dropFirst())", "\(number)")
        }
        let lists = stand.store.count(.list)
        #expect(try await stand.consume() == (0..<2500).map { "\($0)" })
        // One that shows that there are any, three pages to the end, and one that shows that there is no more.
        #expect(stand.store.count(.list) - lists <= 6)
        let cursor = try await JSONValue(parsing: stand.store.get(ObjectKey("p/A/B/cursors/default")).bytes)
        #expect(cursor["after"] == "2026-11-20T01:00:00.002499")
        #expect(cursor["handled"]?.array?.count == 0)
    }

    @Test("a batch has about as many bytes as it may")
    func batches() async throws {
        let stand = try LegacyStand()
        try await stand.send(["aaaa", "bbbb", "cccccccccccc", "d"])
        let reader = try await message(stand.broker(), ReaderOptions(batchBytes: 8))
        var batches: [[String]] = []
        while true {
            let messages = try await reader.next()
            if messages.isEmpty { break }
            batches.append(messages.map(\.text))
        }
        #expect(batches == [["aaaa", "bbbb"], ["cccccccccccc"], ["d"]])
    }

    @Test("wherever a consumer ends, the next one begins with what was not committed")
    func crashes() async throws {
        for handled in 0...6 {
            let stand = try LegacyStand()
            for number in 1...6 {
                try await stand.send(["\(number)"])
                stand.advance(.seconds(4))
            }
            let reader = try await message(stand.broker(isStopped: true), ReaderOptions(batchBytes: 3))
            var messages: [Message] = []
            while messages.count < 6 { messages += try await reader.next() }
            if handled > 0 { try await reader.commit(through: messages[handled - 1]) }
            try await stand.put("2026-11-21T01:24:00.000000", "late")
            #expect(Set(try await stand.consume()) == Set((handled..<6).map { "\($0 + 1)" } + ["late"]))
        }
    }

    @Test("rewound, a reader gives again what was not committed")
    func rewinds() async throws {
        let stand = try LegacyStand()
        try await stand.send(["1", "2", "3"])
        let reader = try await message(stand.broker())
        let messages = try await reader.next()
        try await reader.commit(through: messages[0])
        try await reader.rewind()
        #expect(try await reader.next().map(\.text) == ["2", "3"])
    }

    @Test("a cursor that failed to be written is written with the next commit")
    func commitsAgain() async throws {
        let stand = try LegacyStand()
        try await stand.send(["1", "2"])
        let reader = try await message(stand.broker(isStopped: true))
        let messages = try await reader.next()
        stand.store.trouble(.put, .fails(ObjectStoreError(.unreachable, "away")))
        await #expect { try await reader.commit(through: messages[1]) } throws: { code($0) == .unreachable }
        try await reader.commit(through: messages[1])
        #expect(try await stand.consume() == [])
    }

    @Test("a cursor whose answer was lost is not taken for another consumer's, and written once more")
    func cursorAnswerLost() async throws {
        let stand = try LegacyStand()
        try await stand.send(["1", "2"])
        let reader = try await message(stand.broker(isStopped: true))
        let messages = try await reader.next()
        stand.store.trouble(.put, .answerLost)
        try await reader.commit(through: messages[0])
        stand.store.trouble(.put, .fails(ObjectStoreError(.ambiguous, "no answer")))
        try await reader.commit(through: messages[1])
        #expect(try await stand.consume() == [])
    }

    @Test("a consumer whose cursor somebody else has moved cannot move it back")
    func fenced() async throws {
        let stand = try LegacyStand()
        try await stand.send(["1", "2"])
        let reader = try await message(stand.broker(isStopped: true))
        let messages = try await reader.next()
        let key = try ObjectKey("p/A/B/cursors/default")
        try await stand.store.put(key, Array(#"{"version":1,"after":"2027","handled":[]}"#.utf8))
        await #expect { try await reader.commit(through: messages[0]) } throws: { code($0) == .leaseLost }
        #expect(try await stand.consume() == [])
    }

    @Test("a message that was deleted meanwhile keeps nobody back")
    func deleted() async throws {
        let stand = try LegacyStand()
        try await stand.send(["1", "2", "3"])
        // The first that are read are the lease and the cursor, which are not there anyway.
        stand.store.trouble(.get, .deletedBefore, .deletedBefore, .deletedBefore)
        #expect(try await stand.consume().count == 2)
    }

    @Test("consumers of one name take turns, and the next one goes on at the cursor")
    func turns() async throws {
        let stand = try LegacyStand()
        try await stand.send(["1", "2"])
        let first = try await message(stand.broker())
        let second = try await message(stand.broker())
        let messages = try await first.next()
        #expect(try await !second.takeLease())
        try await first.commit(through: messages[0])
        await first.close()
        #expect(try await second.takeLease())
        #expect(try await second.next().map(\.text) == ["2"])
    }

    @Test("a consumer that stopped for long loses its lease, and cannot move the cursor any more")
    func deposed() async throws {
        let stand = try LegacyStand()
        try await stand.send(["1", "2"])
        let first = try await message(stand.broker(isStopped: true))
        let second = try await message(stand.broker())
        let messages = try await first.next()
        #expect(try await !second.takeLease())
        stand.clock.advance(.seconds(10))
        #expect(try await second.takeLease())
        #expect(try await second.next().map(\.text) == ["1", "2"])
        await #expect { try await first.commit(through: messages[1]) } throws: { code($0) == .leaseLost }
        #expect(try await second.next().isEmpty)
    }

    // MARK: Where to begin.

    @Test("who begins at the end gets what comes from then on, also after a restart")
    func end() async throws {
        let stand = try LegacyStand()
        try await stand.send(["1"])
        stand.advance(.milliseconds(1))
        let reader = try await message(stand.broker(isStopped: true), ReaderOptions(start: .end))
        #expect(try await reader.next().isEmpty)
        try await stand.send(["2"])
        #expect(try await stand.consume(options: ReaderOptions(start: .end)) == ["2"])
    }

    @Test("who begins at the end on a host whose clock is a day ahead gets what comes from then on, too")
    func endOfTomorrow() async throws {
        let stand = try LegacyStand()
        try await stand.send(["1"])
        stand.advance(.milliseconds(1))
        let reader = try await message(
            stand.broker(clockError: .seconds(86_400)), ReaderOptions(start: .end))
        #expect(try await reader.next().isEmpty)
        try await stand.send(["2"])
        #expect(try await reader.next().map(\.text) == ["2"])
    }

    @Test("who begins at a time gets the messages of that time and later, whatever the cursor says")
    func time() async throws {
        let stand = try LegacyStand()
        for number in 1...4 { try await stand.put("2026-11-21T00:00:0\(number).000000", "\(number)") }
        #expect(try await stand.consume().count == 4)
        let time = try #require(UTCTime("2026-11-21T00:00:03"))
        #expect(try await stand.consume(options: ReaderOptions(start: .time(time), ignoresCursor: true)) == ["3", "4"])
        #expect(try await stand.consume(options: ReaderOptions(start: .beginning, ignoresCursor: true)).count == 4)
        #expect(try await stand.consume(options: ReaderOptions(start: .time(time))) == [])
    }

    @Test("there are no numbers to begin with")
    func sequence() async throws {
        let stand = try LegacyStand()
        await #expect {
            try await stand.consume(options: ReaderOptions(start: .sequence(3)))
        } throws: { code($0) == .unsupported }
    }

    @Test("a cursor of the old library is understood")
    func oldCursor() async throws {
        let stand = try LegacyStand()
        for number in 1...3 { try await stand.put("2026-11-20T00:00:0\(number).000000", "\(number)") }
        try await stand.put("cursors/default", "A/B/2026-11-20T00:00:02.000000")
        #expect(try await stand.consume() == ["3"])
    }

    @Test("a cursor that is none is told, and not taken for the beginning", arguments: ["{}", "{", #"{"version":2}"#])
    func corruptCursor(text: String) async throws {
        let stand = try LegacyStand()
        try await stand.send(["1"])
        try await stand.put("cursors/default", text)
        await #expect { try await stand.consume() } throws: { code($0) == .corrupt }
    }

    // MARK: Keys.

    @Test("keys are found that match and have messages")
    func keys() async throws {
        let stand = try LegacyStand()
        for key in ["A", "A.B", "A.B.C", "B.C", "X.Y.Z"] { try await stand.send(["1"], to: key) }
        try await stand.put("2026-11-21T01:00:00", "lower case is no key", in: "a")
        try await stand.put("x", "no message", in: "N")
        let broker = try stand.broker()
        func keys(_ pattern: String) async throws -> [String] {
            try await broker.keys(matching: RoutingPattern(pattern)).map(\.description)
        }
        #expect(try await keys("#") == ["A", "A.B", "A.B.C", "B.C", "X.Y.Z"])
        #expect(try await keys("A.#") == ["A", "A.B", "A.B.C"])
        #expect(try await keys("*.*") == ["A.B", "B.C"])
        #expect(try await keys("*.C") == ["B.C"])
        #expect(try await keys("#.C") == ["A.B.C", "B.C"])
        #expect(try await keys("X.Y.Z") == ["X.Y.Z"])
        #expect(try await keys("X.Y") == [])
    }

    @Test("keys below one with many messages are found without listing all of these")
    func keysBelowMany() async throws {
        let stand = try LegacyStand()
        for number in 10_000..<15_000 { try await stand.put("2026-11-21T01:00:00.0\(number)", "x", in: "A") }
        for key in ["A.B", "A.42", "A.2FA", "A.9"] { try await stand.send(["1"], to: key) }
        let lists = stand.store.count(.list)
        let keys = try await stand.broker().keys(matching: RoutingPattern("#"))
        #expect(keys.map(\.description) == ["A", "A.2FA", "A.42", "A.9", "A.B"])
        #expect(stand.store.count(.list) - lists == 7)
    }

    @Test("a pattern gives the messages of all keys, by their times")
    func pattern() async throws {
        let stand = try LegacyStand()
        for (index, key) in ["A.X", "A.Y", "A.X", "B.X"].enumerated() {
            try await stand.send(["\(index) \(key)"], to: key)
            stand.advance(.seconds(1))
        }
        #expect(try await stand.consume("A.*") == ["0 A.X", "1 A.Y", "2 A.X"])
        #expect(try await stand.consume("#") == ["3 B.X"])
    }
}
