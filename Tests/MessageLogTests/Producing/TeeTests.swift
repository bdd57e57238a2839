import CivilTime
import TestServers
import Testing

@testable import MessageLog

/// Several brokers, of which one turns bad.
@Suite(.timeLimit(.minutes(2))) struct TeeTests {
    @Test("a broker that is down neither stops nor loses the others, and is caught up in order when it is back")
    func caughtUp() async throws {
        try await withTemporaryFolder { folder in
            let (up, down) = (FaultyBroker("scripted://up"), FaultyBroker("scripted://down"))
            let producer = try Producer(routingKey: "a", brokers: [up, down], options: quickOptions(spool: folder))
            try await producer.send("0")
            down.script([], then: .fail(.unreachable))
            for number in 1...20 {
                let receipt = try await producer.send("\(number)")
                guard case .stored = receipt.brokers[0].outcome, case .spooled = receipt.brokers[1].outcome else {
                    Issue.record("\(receipt)")
                    return
                }
                #expect(receipt.isComplete && !receipt.isStored)
            }
            #expect(up.stored == (0...20).map(String.init))
            #expect(down.stored == ["0"])
            let behind = await producer.counts[1]
            #expect(behind.isBehind && behind.spooled == 20 && behind.waitingBatches == 20)
            #expect(behind.lastFailure?.code == .unreachable)
            down.script([])
            try await producer.send("21")
            #expect(await producer.catchUp(within: .seconds(30)))
            #expect(down.stored == (0...21).map(String.init))
            #expect(try await producer.send("22").isStored)
            let counts = await producer.counts[1]
            #expect(!counts.isBehind && counts.waitingBatches == 0 && counts.stored + counts.caughtUp == 23)
            await producer.close()
            #expect(down.stored == (0...22).map(String.init))
        }
    }

    @Test("what waits in the spool goes first after a restart, before newer messages")
    func restart() async throws {
        try await withTemporaryFolder { folder in
            let (up, down) = (FaultyBroker("scripted://up"), FaultyBroker("scripted://down"))
            down.script([], then: .fail(.unreachable))
            for start in [0, 10] {
                let producer = try Producer(routingKey: "a", brokers: [up, down], options: quickOptions(spool: folder))
                for number in start..<start + 10 { try await producer.send("\(number)") }
                await producer.close()
            }
            #expect(down.stored.isEmpty)
            down.script([])
            let producer = try Producer(routingKey: "a", brokers: [up, down], options: quickOptions(spool: folder))
            try await producer.send("20")
            #expect(await producer.catchUp(within: .seconds(30)))
            await producer.close()
            #expect(up.stored == (0...20).map(String.init))
            #expect(down.stored == (0...20).map(String.init))
        }
    }

    @Test("two producers of one key have spools of their own, and what both leave behind is caught up")
    func twoProducers() async throws {
        try await withTemporaryFolder { folder in
            let (up, down) = (FaultyBroker("scripted://up"), FaultyBroker("scripted://down"))
            down.script([], then: .fail(.unreachable))
            let options = quickOptions(spool: folder)
            let one = try Producer(routingKey: "a", brokers: [up, down], options: options)
            let two = try Producer(routingKey: "a", brokers: [up, down], options: options)
            for number in 0..<10 {
                _ = try await (number < 5 ? one : two).send("\(number)")
            }
            await one.close()
            await two.close()
            down.script([])
            let three = try Producer(routingKey: "a", brokers: [up, down], options: options)
            try await three.send("10")
            #expect(await three.catchUp(within: .seconds(30)))
            await three.close()
            #expect(down.stored == (0...10).map(String.init))
        }
    }

    @Test("keys and brokers do not share a spool")
    func apart() async throws {
        try await withTemporaryFolder { folder in
            let (up, down) = (FaultyBroker("scripted://up"), FaultyBroker("scripted://down"))
            let other = FaultyBroker("scripted://down?")
            down.script([], then: .fail(.unreachable))
            let options = quickOptions(spool: folder)
            let first = try Producer(routingKey: "a", brokers: [up, down], options: options)
            try await first.send("waits")
            await first.close()
            down.script([])
            let second = try Producer(routingKey: "b", brokers: [up, down], options: options)
            let third = try Producer(routingKey: "a", brokers: [up, other], options: options)
            try await second.send("b")
            try await third.send("c")
            await second.close()
            await third.close()
            #expect(down.stored == ["b"])
            #expect(other.stored == ["c"])
        }
    }

    @Test("a broker that does not answer holds up one send at most, and what it was doing counts when it succeeds")
    func hanging() async throws {
        try await withTemporaryFolder { folder in
            let (up, slow) = (FaultyBroker("scripted://up"), FaultyBroker("scripted://slow"))
            let producer = try Producer(routingKey: "a", brokers: [up, slow], options: quickOptions(spool: folder))
            slow.script([.hang])
            for number in 0..<5 { #expect(try await producer.send("\(number)").isComplete) }
            #expect(slow.attempts == 1 && slow.stored.isEmpty)
            slow.proceed()
            #expect(await producer.catchUp(within: .seconds(30)))
            // The first message is there once: the attempt went on, and was not made again.
            #expect(slow.stored == ["0", "1", "2", "3", "4"])
            #expect(slow.attempts == 5)
            await producer.close()
        }
    }

    @Test("a broker that refuses is told of, and the others have the message")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            let (up, closed) = (FaultyBroker("scripted://up"), FaultyBroker("scripted://closed"))
            let producer = try Producer(routingKey: "a", brokers: [up, closed], options: quickOptions(spool: folder))
            closed.script([.fail(.denied)])
            let receipt = try await producer.send("1")
            #expect(receipt.refusals.map(\.code) == [.denied])
            #expect(!receipt.isComplete)
            #expect(try await producer.send("2").isStored)
            #expect(up.stored == ["1", "2"] && closed.stored == ["2"])
            await producer.close()
        }
    }

    @Test("a broker that refuses what waits in the spool gets it when that was mended")
    func mended() async throws {
        try await withTemporaryFolder { folder in
            let (up, down) = (FaultyBroker("scripted://up"), FaultyBroker("scripted://down"))
            let producer = try Producer(routingKey: "a", brokers: [up, down], options: quickOptions(spool: folder))
            down.script([], then: .fail(.unreachable))
            try await producer.send("1")
            down.script([], then: .fail(.denied))
            try await eventually { await producer.counts[1].lastFailure?.code == .denied }
            try await producer.send("2")
            down.script([])
            #expect(await producer.catchUp(within: .seconds(30)))
            #expect(down.stored == ["1", "2"])
            await producer.close()
        }
    }

    @Test("an append of which it is not known whether it succeeded is made again: at least once")
    func unknown() async throws {
        try await withTemporaryFolder { folder in
            let (up, down) = (FaultyBroker("scripted://up"), FaultyBroker("scripted://down"))
            let producer = try Producer(routingKey: "a", brokers: [up, down], options: quickOptions(spool: folder))
            down.script([.storeUnknown])
            try await producer.send("1")
            #expect(down.stored == ["1", "1"])
            await producer.close()
        }
    }

    @Test("one broker has a spool when it is asked for, and then a send never waits longer than its patience")
    func alone() async throws {
        try await withTemporaryFolder { folder in
            let broker = FaultyBroker()
            broker.script([], then: .fail(.unreachable))
            let options = quickOptions(spool: folder, spooling: .always)
            let producer = try Producer(routingKey: "a", brokers: [broker], options: options)
            for number in 1...3 { #expect(try await producer.send("\(number)").isComplete) }
            await producer.close()
            broker.script([])
            // A producer that sends nothing catches up, too.
            let next = try Producer(routingKey: "a", brokers: [broker], options: options)
            try await eventually { broker.stored == ["1", "2", "3"] }
            await next.close()
        }
    }

    @Test("a spool that cannot be had is told of when it is needed, and the others have the message")
    func noSpool() async throws {
        try await withTemporaryFolder { folder in
            try writeText("a file", to: "\(folder)/spool")
            let (up, down) = (FaultyBroker("scripted://up"), FaultyBroker("scripted://down"))
            let producer = try Producer(
                routingKey: "a", brokers: [up, down], options: quickOptions(spool: "\(folder)/spool"))
            #expect(try await producer.send("1").isStored)
            down.script([], then: .fail(.unreachable))
            let receipt = try await producer.send("2")
            #expect(receipt.refusals.map(\.code) == [.systemError])
            #expect("\(receipt)".contains(folder))
            down.script([])
            #expect(try await producer.send("3").isStored)
            #expect(up.stored == ["1", "2", "3"] && down.stored == ["1", "3"])
            await producer.close()
        }
    }

    @Test("a spool that is full refuses newer messages, and gives the broker those that it took")
    func fullSpool() async throws {
        try await withTemporaryFolder { folder in
            let (up, down) = (FaultyBroker("scripted://up"), FaultyBroker("scripted://down"))
            down.script([], then: .fail(.unreachable))
            var options = quickOptions(spool: folder)
            (options.spoolLimit, options.batching.bytes) = (1 << 20, 128 << 10)
            let producer = try Producer(routingKey: "a", brokers: [up, down], options: options)
            let body = String(repeating: "x", count: 100_000)
            var spooled = 0
            for _ in 1...15 {
                let receipt = try await producer.send(body)
                if receipt.isComplete { spooled += 1 } else { #expect(receipt.refusals.map(\.code) == [.full]) }
            }
            #expect(spooled > 5 && spooled < 15)
            down.script([])
            #expect(await producer.catchUp(within: .seconds(30)))
            #expect(down.stored.count == spooled)
            #expect(up.stored.count == 15)
            await producer.close()
        }
    }

    @Test("a spool that cannot be opened keeps nothing of the others from reaching the broker")
    func damagedSpool() async throws {
        try await withTemporaryFolder { folder in
            let (up, down) = (FaultyBroker("scripted://up"), FaultyBroker("scripted://down"))
            let options = quickOptions(spool: folder)
            down.script([], then: .fail(.unreachable))
            let first = try Producer(routingKey: "a", brokers: [up, down], options: options)
            try await first.send("old")
            await first.close()
            // Behind the spool that has something comes what is none.
            let place = try SpoolFolder(broker: down.description, key: RoutingKey("a"), options: options)
            try writeText("a file", to: "\(place.path)/2")
            down.script([.hang])
            let second = try Producer(routingKey: "a", brokers: [up, down], options: options)
            try await second.send("new")
            down.proceed()
            #expect(await second.catchUp(within: .seconds(30)))
            await second.close()
            #expect(down.stored == ["old", "new"])
        }
    }

    @Test("what a full disk keeps from waiting is refused, and does not reach the broker later")
    func fullDisk() async throws {
        try await withSmallDisk { disk in
            let (up, down) = (FaultyBroker("scripted://up"), FaultyBroker("scripted://down"))
            down.script([], then: .fail(.unreachable))
            let producer = try Producer(routingKey: "a", brokers: [up, down], options: quickOptions(spool: disk.path))
            #expect(try await producer.send("1").isComplete)
            try disk.fill()
            // More than the last page of a file has room for.
            let long = String(repeating: "2", count: 20_000)
            #expect(try await producer.send(long).refusals.map(\.code) == [.full])
            disk.empty()
            #expect(try await producer.send("3").isComplete)
            down.script([])
            #expect(await producer.catchUp(within: .seconds(30)))
            await producer.close()
            #expect(down.stored == ["1", "3"])
            #expect(up.stored == ["1", long, "3"])
        }
    }
}
