import Logging
import Synchronization
import TestServers
import Testing
import ZeroMQ

@testable import LogTransport

@Suite(.timeLimit(.minutes(2))) struct ReliableDeliveryTests {
    private let logger = Logger(label: "test")

    /// What came, in its order.
    private struct Arrivals {
        var numbers: [UInt64] = []
        var repeats = 0
        var faults: [String] = []

        mutating func take(_ batch: ReliableBatch, upTo lines: Int? = nil) -> Int {
            if batch.isRedelivered { repeats += batch.count - batch.skip }
            return batch.forEachLine { line, number in
                if String(decoding: line, as: UTF8.self) != String(number) { faults.append("\(number)") }
                numbers.append(number)
                return lines.map { numbers.count < $0 } ?? true
            }
        }
    }

    /// Receives so many lines, or all until the inlet is closed; something may be waited for with the first in hand.
    private func receive(
        _ count: Int, from inlet: ReliableInlet, withFirst wait: @Sendable () async throws -> Void = {}
    ) async throws -> Arrivals {
        var arrivals = Arrivals()
        while arrivals.numbers.count < count, let batch = try await inlet.next() {
            if arrivals.numbers.isEmpty { try await wait() }
            let lines = arrivals.take(batch, upTo: count)
            inlet.processed(batch, lines: lines)
        }
        return arrivals
    }

    @Test("the object for a long line, and a long record of a spool, are in memory once while nobody is there")
    func longLines() async throws {
        try await withSpool { spool in
            let line = [UInt8](repeating: 1, count: 1 << 20)
            var envelope = JSONEnvelope(type: "t", processID: 7)
            let outlets = try (0..<2).map { _ in
                try ReliableOutlet(ReliableOutletOptions(binds: [try NumberedSender.anyPort]), logger: logger)
            }
            let never = try EventDescriptor()
            func offers(_ number: UInt64) throws -> Bool {
                try line.span.withUnsafeBytes { bytes throws(LogTransportError) in
                    try outlets[0].offer(bytes, in: &envelope, number: number)
                }
            }
            var before = try residentBytes()
            #expect(try offers(1))
            for _ in 1...3 { #expect(try !offers(2)) }
            #expect(try residentBytes() - before < 8 << 20)
            #expect(try outlets[0].finish(until: .now, end: never.number) == 1)

            for _ in 0..<2 { try spool.append(longCount: 6 << 20) }
            before = try residentBytes()
            #expect(try outlets[1].offer(spool.nextLong(), number: 1))
            let second = try spool.nextLong()
            for _ in 1...3 { #expect(try !outlets[1].offer(second, number: 2)) }
            #expect(try residentBytes() - before < 8 << 20)
            #expect(try outlets[1].finish(until: .now, end: never.number) == 1)
        }
    }

    @Test("long lines arrive whole, among short ones, with their ids") func longLinesArrive() async throws {
        try await withSpool { spool in
            for count in [300_000, 6 << 20] { try spool.append(longCount: count) }
            let outlet = try ReliableOutlet(ReliableOutletOptions(binds: [try NumberedSender.anyPort]), logger: logger)
            let inlet = try ReliableInlet(ReliableInletOptions(connects: outlet.endpoints), logger: logger)
            let receiving = Task {
                var sizes: [Int] = []
                while sizes.count < 4, let batch = try await inlet.next() {
                    let lines = batch.forEachLine { line, _ in
                        sizes.append(line.count)
                        return true
                    }
                    inlet.processed(batch, lines: lines)
                }
                return sizes
            }
            try outlet.hand("first", number: 1)
            for number in UInt64(2)...3 {
                let record = try spool.nextLong()
                while try !outlet.offer(record, number: number) { try outlet.waitAndAdvance() }
            }
            try outlet.hand("last", number: 4)
            try outlet.flush()
            while outlet.acknowledged < 4 { try outlet.waitAndAdvance() }
            #expect(try await receiving.value == [5, 300_000, 6 << 20, 4])
            await inlet.close()
            #expect(try outlet.finish(until: .now, end: EventDescriptor().number) == 0)
        }
    }

    @Test("lines arrive once, in order and with their ids, where receivers connect") func connectingReceiver()
        async throws
    {
        let sender = NumberedSender(ReliableOutletOptions(binds: [try NumberedSender.anyPort]), count: 100_000)
        async let sending = sender.run()
        let endpoint = try #require(try await sender.endpoint())
        let inlet = try ReliableInlet(ReliableInletOptions(connects: [endpoint]), logger: logger)
        let arrivals = try await receive(100_000, from: inlet)
        await inlet.close()
        #expect(arrivals.numbers == Array(1...100_000))
        #expect(arrivals.faults == [])
        let outcome = try await sending
        #expect(outcome.left == 0)
        #expect(outcome.acknowledged == 100_000)
        #expect(outcome.counts == OutletCounts())
    }

    @Test("lines arrive once, in order and with their ids, where receivers are bound") func boundReceiver() async throws
    {
        let inlet = try ReliableInlet(
            ReliableInletOptions(binds: [try NumberedSender.anyPort]), logger: logger)
        let sender = NumberedSender(ReliableOutletOptions(connects: inlet.endpoints), count: 100_000)
        async let sending = sender.run()
        let arrivals = try await receive(100_000, from: inlet)
        await inlet.close()
        #expect(arrivals.numbers == Array(1...100_000))
        #expect(arrivals.faults == [])
        #expect(try await sending.counts == OutletCounts())
    }

    @Test("two bound receivers share the lines") func sharing() async throws {
        let inlets = [
            try ReliableInlet(ReliableInletOptions(binds: [try NumberedSender.anyPort]), logger: logger),
            try ReliableInlet(ReliableInletOptions(binds: [try NumberedSender.anyPort]), logger: logger),
        ]
        let sender = NumberedSender(ReliableOutletOptions(connects: inlets.flatMap(\.endpoints)), count: 200_000)
        // Neither lets go of its first lines before the other one has some: one that comes late gets what is beyond the
        // first one's share.
        let served = Served()
        let shares = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for inlet in inlets {
                group.addTask {
                    try await self.receive(.max, from: inlet) {
                        served.add()
                        try await eventually("lines for both") { served.count == 2 }
                    }.numbers
                }
            }
            let outcome = try await sender.run()
            #expect(outcome.left == 0)
            for inlet in inlets { await inlet.close() }
            var shares: [[UInt64]] = []
            for try await share in group { shares.append(share) }
            return shares
        }
        #expect(shares.allSatisfy { !$0.isEmpty && $0 == $0.sorted() })
        #expect(Set(shares.joined()) == Set(1...200_000))
    }

    @Test(
        "what a receiver acknowledged before it left is not sent again, and the rest is, in the middle of a batch too")
    func lastAcknowledgement() async throws {
        let sender = NumberedSender(ReliableOutletOptions(binds: [try NumberedSender.anyPort]), count: 2000)
        async let sending = sender.run()
        let endpoint = try #require(try await sender.endpoint())
        let first = try ReliableInlet(ReliableInletOptions(connects: [endpoint]), logger: logger)
        let before = try await receive(777, from: first)
        await first.close()
        let second = try ReliableInlet(ReliableInletOptions(connects: [endpoint]), logger: logger)
        let after = try await receive(2000 - 777, from: second)
        await second.close()
        #expect(before.numbers + after.numbers == Array(1...2000))
        #expect(try await sending.left == 0)
    }

    @Test("what a receiver said before it left counts, also when it is missed by being sent to")
    func lastWords() async throws {
        let outlet = try ReliableOutlet(ReliableOutletOptions(binds: [try NumberedSender.anyPort]), logger: logger)
        let inlet = try ReliableInlet(ReliableInletOptions(connects: outlet.endpoints), logger: logger)
        async let arrivals = receive(1, from: inlet)
        try await eventually {
            try outlet.advance()
            return outlet.receivers == 1
        }
        func offers(_ number: UInt64) throws -> Bool {
            let line = Array("\(number)".utf8)
            return try line.withUnsafeBytes { (bytes) throws in try outlet.offer(bytes, number: number) }
        }
        #expect(try offers(1))
        try outlet.flush()
        #expect(try await arrivals.numbers == [1])
        await inlet.close()
        // It is not asked what has come in, only given more, until it is noticed that nobody is there.
        var number: UInt64 = 1
        try await eventually {
            number += 1
            #expect(try offers(number))
            try outlet.flush()
            return outlet.receivers == 0
        }
        #expect(outlet.acknowledged >= 1)
        #expect(outlet.counts.redelivered == 0)
    }

    @Test("a receiver that is there but never acknowledges loses its lines to another") func neverAcknowledges()
        async throws
    {
        var options = ReliableOutletOptions(binds: [try NumberedSender.anyPort])
        options.times = NumberedSender.impatience
        let sender = NumberedSender(options, count: 50_000)
        async let sending = sender.run()
        let endpoint = try #require(try await sender.endpoint())
        var receiving = ReliableInletOptions(connects: [endpoint])
        receiving.times = NumberedSender.impatience
        let idle = try ReliableInlet(receiving, logger: logger)
        // It has lines now, keeps them, and goes on answering heartbeats.
        let kept = try #require(try await idle.next())
        let busy = try ReliableInlet(receiving, logger: logger)
        async let processing = receive(.max, from: busy).numbers
        let outcome = try await sending
        await busy.close()
        #expect(try await Set(processing) == Set(1...50_000))
        #expect(outcome.left == 0)
        #expect(outcome.counts.receiversLost > 0)
        #expect(outcome.counts.redelivered >= UInt64(kept.count))
        await idle.close()
    }

    @Test("peers that speak garbage are counted, and disturb nobody") func garbage() async throws {
        let sender = NumberedSender(ReliableOutletOptions(binds: [try NumberedSender.anyPort]), count: 20_000)
        async let sending = sender.run()
        let endpoint = try #require(try await sender.endpoint())
        let context = try Context()
        var peer = try Socket(.dealer, in: context)
        try peer.connect(endpoint)
        var random = SplitMix64.forThisRun()
        for round in 0..<200 {
            let frame = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            _ = try peer.send(frame, more: round % 3 == 0, wait: true)
            if round % 3 == 0 { _ = try peer.send(frame, wait: true) }
        }
        // What is well formed and yet wrong: a sender's message, an acknowledgement of nothing, a greedy HELLO.
        let window = WireMessage.Window(bytes: .max, lines: .max)
        let strange: [WireMessage] = [
            .ping(1), .offer(3), .hello(5, window),
            .acknowledgement(5, WireMessage.Progress(sequence: .max, lines: 7), window), .bye(6), .bye(5),
        ]
        for message in strange { _ = try peer.send(message.bytes, wait: true) }
        // The sender has looked at all of it when it answers what it does not know.
        _ = try peer.send(WireMessage.acknowledgement(99, .init(sequence: 0, lines: 0), window).bytes, wait: true)
        var answer = Message()
        repeat { _ = try peer.receive(into: &answer, wait: true) } while answer.bytes != WireMessage.offer(99).bytes

        let inlet = try ReliableInlet(ReliableInletOptions(connects: [endpoint]), logger: logger)
        let arrivals = try await receive(20_000, from: inlet)
        await inlet.close()
        #expect(Set(arrivals.numbers) == Set(1...20_000))
        let outcome = try await sending
        #expect(outcome.left == 0)
        #expect(outcome.counts.garbage > 100)
    }

    @Test("a receiver takes no garbage for lines") func garbageSender() async throws {
        let inlet = try ReliableInlet(ReliableInletOptions(binds: [try NumberedSender.anyPort]), logger: logger)
        let context = try Context()
        var peer = try Socket(.dealer, in: context)
        try peer.connect(try #require(inlet.endpoints.first))
        let header = WireMessage.BatchHeader(
            sequence: 1, sender: SenderID(), first: 1, skip: 0, isRedelivered: false)
        for bytes in [[], [1, 2, 3], Array(repeating: UInt8(0x0a), count: 100)] as [[UInt8]] {
            _ = try peer.send(bytes, wait: true)
            _ = try peer.send(WireMessage.batch(9, header).bytes, more: true, wait: true)
            _ = try peer.send(bytes, wait: true)
        }
        try await eventually("the garbage") { inlet.garbage > 0 }
        let sender = NumberedSender(ReliableOutletOptions(connects: inlet.endpoints), count: 3000)
        async let sending = sender.run()
        let arrivals = try await receive(3000, from: inlet)
        await inlet.close()
        #expect(arrivals.numbers == Array(1...3000))
        #expect(try await sending.left == 0)
    }

    @Test("senders that leave lines and go, again and again, do not fill the memory, and others lose nothing")
    func endlessLeavers() async throws {
        let inlet = try ReliableInlet(ReliableInletOptions(binds: [try NumberedSender.anyPort]), logger: logger)
        let context = try Context()
        var peer = try Socket(.dealer, in: context)
        try peer.connect(try #require(inlet.endpoints.first))
        var body: [UInt8] = [0x0a, 0x4c, 0x42, 0x41, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0x10, 0, 0]
        body += [UInt8](repeating: 65, count: 1 << 20)
        var answer = Message()
        var refused = 0
        for _ in 0..<40 {
            _ = try peer.send(WireMessage.offer(0).bytes, wait: true)
            var greeting: (session: WireMessage.Session, window: WireMessage.Window)?
            while greeting == nil {
                _ = try peer.receive(into: &answer, wait: true)
                if case .hello(let session, let window) = answer.withUnsafeBytes({ WireMessage($0) }) {
                    greeting = (session, window)
                }
            }
            let (session, window) = try #require(greeting)
            if window.bytes == 0 { refused += 1 }
            let header = WireMessage.BatchHeader(
                sequence: 1, sender: SenderID(), first: 1, skip: 0, isRedelivered: false)
            _ = try peer.send(WireMessage.batch(session, header).bytes, more: true, wait: true)
            _ = try peer.send(body, wait: true)
            _ = try peer.send(WireMessage.bye(session).bytes, wait: true)
        }
        #expect(refused > 0)
        let sender = NumberedSender(ReliableOutletOptions(connects: inlet.endpoints), count: 3000)
        async let sending = sender.run()
        _ = try await sender.endpoint()
        var (left, numbers) = (0, [UInt64]())
        while numbers.count < 3000, let batch = try await inlet.next() {
            batch.forEachLine { line, number in
                if line.count == 1 << 20 { left += 1 } else { numbers.append(number) }
                return true
            }
            inlet.processed(batch)
        }
        await inlet.close()
        #expect(left <= 10)
        #expect(numbers == Array(1...3000))
        #expect(try await sending.left == 0)
    }

    @Test("with CURVE a receiver whose key is allowed gets the lines, another none") func curve() async throws {
        let server = try CurveKeyPair.generate()
        let (allowed, stranger) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        var options = ReliableOutletOptions(binds: [try NumberedSender.anyPort])
        options.curve = .server(CurveServer(secretKey: server.secretKey, allowedClients: [allowed.publicKey]))
        let sender = NumberedSender(options, count: 10_000)
        async let sending = sender.run()
        let endpoint = try #require(try await sender.endpoint())
        func inlet(_ keys: CurveKeyPair) throws -> ReliableInlet {
            var options = ReliableInletOptions(connects: [endpoint])
            options.curve = .client(CurveClient(keys: keys, serverKey: server.publicKey))
            return try ReliableInlet(options, logger: logger)
        }
        let refused = try inlet(stranger)
        async let nothing = receive(.max, from: refused).numbers
        let welcome = try inlet(allowed)
        let arrivals = try await receive(10_000, from: welcome)
        await welcome.close()
        let outcome = try await sending
        await refused.close()
        #expect(arrivals.numbers == Array(1...10_000))
        #expect(outcome.left == 0)
        #expect(try await nothing == [])
    }

    @Test("without a receiver the window is all that is kept, and what is left over is counted") func nobody()
        async throws
    {
        let options = ReliableOutletOptions(binds: [try NumberedSender.anyPort])
        let outlet = try ReliableOutlet(options, logger: logger)
        let line = [UInt8](repeating: 65, count: 1000)
        func offer(_ number: UInt64) throws -> Bool {
            try line.span.withUnsafeBytes { try outlet.offer($0, number: number) }
        }
        var number: UInt64 = 1
        while try offer(number) { number += 1 }
        #expect((3 << 20)...(5 << 20) ~= Int(number - 1) * line.count)
        #expect(outlet.acknowledged == 0)
        let left = try outlet.finish(until: .now, end: EventDescriptor().number)
        #expect(left == number - 1)
    }
}

/// How many have got something.
private final class Served: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .acquiring) }

    func add() { value.add(1, ordering: .releasing) }
}

extension ReliableOutlet {
    /// Offers a line, and waits for room as a relay does.
    fileprivate func hand(_ line: String, number: UInt64) throws {
        while try !offer(Array(line.utf8), number: number) { try waitAndAdvance() }
    }

    fileprivate func waitAndAdvance() throws {
        try Wait.any(of: waits(forRoom: true), until: nextDeadline ?? .now + .seconds(1))
        try advance()
    }
}
