import CivilTime
import Logging
import Synchronization
import TestServers
import Testing

@testable import LogBroadcast

@Suite struct EventDeskTests {
    private func body(_ seq: UInt64) -> [UInt8] {
        var record = LogRecord(
            .info, "\(seq)", machine: "lb-1", logger: "a", time: UTCTime(microseconds: Int64(seq)))
        record.pid = 7
        record.seq = seq
        return record.json
    }

    private func text(_ event: BroadcastEvent) -> String {
        switch event {
        case .record(let record): record.message
        case .foreign(let bytes): "foreign \(String(decoding: bytes, as: UTF8.self))"
        case .missed(let machine, let pid, let count): "missed \(count) of \(machine) \(pid)"
        case .connected(let place): "connected \(place)"
        case .disconnected(let reason): "disconnected \(reason)"
        }
    }

    @Test("a record comes once, what is missing is told before the next, and what is no record comes as it is")
    func sorting() {
        let desk = EventDesk()
        let bodies = [body(5), body(6), body(6), body(5), Array("{".utf8), body(10), body(11)]
        #expect(
            bodies.flatMap { desk.events(of: $0).map(text) }
                == ["5", "6", "foreign {", "missed 3 of lb-1 7", "10", "11"])
    }

    @Test("who brings messages waits for who takes them, and nobody waits after the end")
    func backPressure() async throws {
        let channel = BoundedChannel<Int>()
        let brought = Mutex(0)
        let bringing = Task.detached {
            for number in 0..<1_000 {
                guard await channel.send(number) else { return false }
                brought.withLock { $0 += 1 }
            }
            return true
        }
        try await eventually("the channel to be full") {
            brought.withLock { $0 } == BoundedChannel<Int>.most - 1
        }
        for number in 0..<500 { #expect(await channel.next() == number) }
        channel.finish()
        #expect(await !bringing.value)
        var left = 0
        while await channel.next() != nil { left += 1 }
        #expect(left > 0 && left <= BoundedChannel<Int>.most)
        #expect(await !channel.send(0))
    }

    @Test("who brings long messages waits for who takes them, however few they are")
    func backPressureByBytes() async throws {
        let channel = BoundedChannel<Int>()
        let brought = Mutex(0)
        let bringing = Task.detached {
            for number in 0..<20 {
                guard await channel.send(number, bytes: BoundedChannel<Int>.mostBytes / 2) else { return false }
                brought.withLock { $0 += 1 }
            }
            return true
        }
        for number in 0..<20 {
            // One is here, the next waits for room, or is on its way.
            try await eventually("the next") { channel.places > 0 }
            #expect(brought.withLock { $0 } <= number + 2)
            #expect(await channel.next() == number)
        }
        #expect(await bringing.value)
    }

    @Test("what was taken is let go of, also where the next element is there before")
    func release() async {
        let channel = BoundedChannel<Int>()
        for number in 0..<3 { _ = await channel.send(number) }
        // It never becomes empty.
        var most = 0
        for number in 3..<10_000 {
            _ = await channel.send(number)
            #expect(await channel.next() == number - 3)
            most = max(most, channel.places)
        }
        #expect(most < 2 * BoundedChannel<Int>.most)
    }

    @Test("a task that is cancelled takes no more, and others go on")
    func cancellation() async throws {
        let channel = BoundedChannel<Int>()
        let first = Task { await channel.next() == nil }
        let second = Task { await channel.next() == 7 }
        first.cancel()
        #expect(await first.value)
        #expect(await channel.send(7))
        #expect(await second.value)
    }

    @Test("a viewer takes events and what messages say in the order in which they came")
    func iteration() async {
        let desk = EventDesk()
        _ = await desk.bring(.connected("here"))
        for message in [body(1), body(1), body(4)] { _ = await desk.bring(message) }
        desk.finish()
        var seen: [String] = []
        while let event = await desk.next() { seen.append(text(event)) }
        #expect(seen == ["connected here", "1", "missed 2 of lb-1 7", "4"])
    }
}
