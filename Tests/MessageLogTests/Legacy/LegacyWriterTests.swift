import CivilTime
import ObjectStorage
import Testing

@testable import MessageLog

@Suite struct LegacyWriterTests {
    @Test("a message is an object named after the time in UTC")
    func writes() async throws {
        let stand = try LegacyStand()
        let writer = try await stand.broker().makeWriter(for: RoutingKey("Frontend.Signup"))
        let receipt = try await writer.append(MessageBatch(["hello"]))
        #expect(receipt.first == .name("2026-11-21T01:23:45.678901"))
        #expect(receipt.last == receipt.first)
        let object = try ObjectKey("p/FRONTEND/SIGNUP/2026-11-21T01:23:45.678901")
        #expect(try await stand.store.get(object).bytes == Array("hello".utf8))
    }

    @Test("messages of one moment get one microsecond after the other")
    func oneMoment() async throws {
        let stand = try LegacyStand()
        try await stand.put("2026-11-21T01:23:45.678903", "old")
        try await stand.send(["1", "2", "3"])
        #expect(
            try await stand.names() == [
                "2026-11-21T01:23:45.678901", "2026-11-21T01:23:45.678902", "2026-11-21T01:23:45.678903",
                "2026-11-21T01:23:45.678904",
            ])
        #expect(try await stand.consume() == ["1", "2", "old", "3"])
    }

    @Test("sixteen writers whose clocks agree to the microsecond replace nothing of each other")
    func races() async throws {
        let stand = try LegacyStand()
        let broker = try stand.broker()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                group.addTask {
                    let writer = try await broker.makeWriter(for: RoutingKey("A.B"), maxInFlight: number % 4 + 1)
                    for batch in 0..<5 {
                        try await writer.append(MessageBatch((0..<5).map { "\(number) \(batch) \($0)" }))
                    }
                }
            }
            try await group.waitForAll()
        }
        let one = try await stand.consume(name: "one")
        #expect(one.count == 16 * 25)
        #expect(Set(one).count == 16 * 25)
        #expect(try await stand.consume(name: "two") == one)
        // Each writer's batches are in its order, and so are the messages of one that stores them one by one.
        let ofOne = one.filter { $0.hasPrefix("4 ") }
        #expect(ofOne == ofOne.sorted())
    }

    @Test("a writer whose clock is set back goes on behind what it wrote")
    func clockStep() async throws {
        let stand = try LegacyStand()
        let writer = try await stand.broker().makeWriter(for: RoutingKey("A.B"))
        try await writer.append(MessageBatch(["1"]))
        stand.advance(.seconds(-86_400))
        try await writer.append(MessageBatch(["2"]))
        #expect(try await stand.names() == ["2026-11-21T01:23:45.678901", "2026-11-21T01:23:45.678902"])
    }

    @Test("a writer whose clock is a day behind names messages after the store's, where consumers find them")
    func clockBehind() async throws {
        let stand = try LegacyStand()
        try await stand.send(["1"])
        #expect(try await stand.consume() == ["1"])
        stand.advance(.seconds(60))
        try await stand.send(["2"])
        #expect(try await stand.consume() == ["2"])
        let late = try stand.broker(clockError: .seconds(-86_400))
        try await stand.send(["3", "4"], by: late)
        #expect(try await stand.consume() == ["3", "4"])
        #expect(try await stand.names().allSatisfy { !$0.hasPrefix("2026-11-20") })
    }

    @Test("a writer whose clock is a day ahead keeps nobody back")
    func clockAhead() async throws {
        let stand = try LegacyStand()
        let ahead = try stand.broker(clockError: .seconds(86_400))
        try await stand.send(["1"], by: ahead)
        #expect(try await stand.consume() == ["1"])
        for number in 2...5 {
            stand.advance(.seconds(30))
            try await stand.send(["\(number)"])
            #expect(try await stand.consume() == ["\(number)"])
        }
    }

    // MARK: Faults.

    @Test("a message whose answer was lost is there once")
    func answerLost() async throws {
        let stand = try LegacyStand()
        let writer = try await stand.broker().makeWriter(for: RoutingKey("A.B"))
        try await writer.append(MessageBatch(["0"]))
        stand.store.trouble(.put, .answerLost)
        try await writer.append(MessageBatch(["1"]))
        #expect(try await stand.consume() == ["0", "1"])
    }

    @Test("a message of which nothing is known is stored once when the batch comes again")
    func doubtful() async throws {
        let away = ObjectStoreError(.unreachable, "away")
        for stored in [true, false] {
            let stand = try LegacyStand()
            let writer = try await stand.broker().makeWriter(for: RoutingKey("A.B"))
            try await writer.append(MessageBatch(["0"]))
            stand.store.trouble(.put, stored ? .answerLost : .fails(ObjectStoreError(.ambiguous, "no answer")))
            stand.store.trouble(.get, .fails(away))
            let batch = MessageBatch(["1", "2"])
            await #expect { try await writer.append(batch) } throws: { ($0 as? MessageLogError)?.isRetriable == true }
            try await writer.append(batch)
            #expect(try await stand.consume().sorted() == ["0", "1", "2"])
        }
    }

    @Test("a message whose put failed in a way that leaves it open is stored once when the batch comes again")
    func openFailures() async throws {
        let stand = try LegacyStand()
        let writer = try await stand.broker().makeWriter(for: RoutingKey("A.B"))
        try await writer.append(MessageBatch(["first"]))
        for code in [ObjectStoreError.Code.cancelled, .systemError, .corrupt, .closed] {
            stand.store.trouble(.put, .doneBut(ObjectStoreError(code, "in the middle")))
            let batch = MessageBatch(["\(code)"])
            await #expect(throws: MessageLogError.self) { try await writer.append(batch) }
            stand.advance(.seconds(1))
            try await writer.append(batch)
        }
        #expect(try await stand.consume() == ["first", "cancelled", "systemError", "corrupt", "closed"])
    }

    @Test("messages of one moment that are on their way together keep the batch's order")
    func oneMomentTogether() async throws {
        let stand = try LegacyStand()
        let bodies = (0..<20).map { "\($0)" }
        let writer = try await stand.broker().makeWriter(for: RoutingKey("A.B"), maxInFlight: 20)
        for round in 1...25 {
            try await writer.append(MessageBatch(bodies))
            let read = try await stand.consume()
            guard read == bodies else {
                Issue.record("round \(round): \(read)")
                return
            }
        }
    }

    @Test("of a batch that failed in the middle, what was stored is not stored again")
    func half() async throws {
        let stand = try LegacyStand()
        let writer = try await stand.broker().makeWriter(for: RoutingKey("A.B"))
        try await writer.append(MessageBatch(["0"]))
        stand.store.trouble(.put, .fails(ObjectStoreError(.throttled, "slower")))
        let batch = MessageBatch(["1", "2", "3"])
        await #expect { try await writer.append(batch) } throws: { code($0) == .unreachable }
        try await writer.append(batch)
        #expect(try await stand.consume().sorted() == ["0", "1", "2", "3"])
        // The same words again are other messages.
        try await writer.append(batch)
        #expect(try await stand.consume() == ["1", "2", "3"])
    }

    @Test("on a store without conditional puts a part of chance keeps names apart")
    func unconditional() async throws {
        let stand = try LegacyStand(isConditional: false)
        for number in 0..<20 { try await stand.send(["\(number)"]) }
        let names = try await stand.names()
        #expect(names.allSatisfy { $0.hasPrefix("2026-11-21T01:23:45.678901-") && $0.utf8.count == 35 })
        #expect(Set(try await stand.consume()).count == 20)
        #expect(try await stand.consume() == [])
    }

    @Test("copied messages keep their times")
    func keepsTimes() async throws {
        let stand = try LegacyStand()
        let writer = try await stand.broker(LegacyOptions(keepsTimes: true)).makeWriter(for: RoutingKey("A.B"))
        let time = try #require(UTCTime("2013-02-20T10:00:00"))
        try await writer.append(MessageBatch(["1", "2"], at: time))
        #expect(try await stand.names() == ["2013-02-20T10:00:00.000000", "2013-02-20T10:00:00.000001"])
    }

    @Test("copied messages of one moment keep their order, many on their way, behind what an earlier copy left there")
    func copiesInOrder() async throws {
        let stand = try LegacyStand()
        let time = UTCTime(microseconds: stand.now.microseconds - 3_600_000_000)
        let bodies = (1...200).map { "\($0)" }
        // What a copy had done when it was killed: some of them, the last with gaps.
        for number in Array(0..<30) + [33, 35, 60] {
            let name = try LegacyNames(.standard).name(of: UTCTime(microseconds: time.microseconds + Int64(number)))
            try await stand.put(name, "old \(number)")
        }
        let broker = try stand.broker(LegacyOptions(keepsTimes: true))
        let writer = try await broker.makeWriter(for: RoutingKey("A.B"), maxInFlight: 20)
        try await writer.append(MessageBatch(["0"], at: UTCTime(microseconds: time.microseconds - 1_000_000)))
        // One that fails is stored under its own name when the batch comes again.
        stand.store.trouble(.put, .fails(ObjectStoreError(.unreachable, "away")))
        let batch = MessageBatch(bodies, at: time)
        await #expect(throws: MessageLogError.self) { try await writer.append(batch) }
        try await writer.append(batch)
        try await writer.append(MessageBatch(["201", "202"], at: time))
        let got = try await stand.consume().filter { !$0.hasPrefix("old") }
        #expect(got == ["0"] + bodies + ["201", "202"])
        #expect(try await stand.names().count { !$0.contains("/") } == 33 + 203)
    }

    @Test("a writer that was closed takes nothing")
    func closed() async throws {
        let stand = try LegacyStand()
        let writer = try await stand.broker().makeWriter(for: RoutingKey("A.B"))
        await writer.close()
        await #expect { try await writer.append(MessageBatch(["1"])) } throws: { code($0) == .closed }
    }

    @Test("a message for which there is no name behind the others is refused, and those before it are there")
    func endOfTime() async throws {
        let stand = try LegacyStand()
        let writer = try await stand.broker(LegacyOptions(keepsTimes: true)).makeWriter(for: RoutingKey("A.B"))
        var batch = MessageBatch()
        for body in ["1", "2", "3"] {
            batch.append(Array(body.utf8), at: UTCTime(microseconds: UTCTime.range.upperBound.microseconds - 1))
        }
        let error = await #expect(throws: MessageLogError.self) { try await writer.append(batch) }
        #expect(error?.code == .unfit && error?.message.contains("A.B") == true)
        #expect(try await stand.names() == ["9999-12-31T23:59:59.999998", "9999-12-31T23:59:59.999999"])
    }
}
