import DedicatedThread
import Glibc
import LogTransport
import Synchronization
import TestServers
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(1))) struct PushOutletTests {
    private let never: Int32 = -1

    @Test("lines arrive in order, one a message, whichever side binds", arguments: [true, false])
    func lines(outletBinds: Bool) throws {
        let lines = [
            bytes("first"), [], (0...255).map { UInt8($0) }, Array(repeating: 7, count: 200_000), bytes("last"),
        ]
        var outlet: PushOutlet
        var puller: TestPuller
        if outletBinds {
            outlet = try PushOutlet(PushOptions(bind: [Endpoint("tcp://127.0.0.1:*")]))
            puller = try TestPuller(connectingTo: outlet.boundEndpoints[0])
        } else {
            puller = try TestPuller()
            outlet = try PushOutlet(PushOptions(connect: [puller.endpoint]))
        }
        for (index, line) in lines.enumerated() { try outlet.hand(line, number: UInt64(index + 1)) }
        #expect(try puller.messages(5) == lines)
        try outlet.waitUntilAllLeft(5)
        #expect(try outlet.finish(until: inGoodTime(), end: never) == 0)
        #expect(outlet.acknowledged == 5)
    }

    @Test("lines are packed, sent when the batch is full or the input pauses, and come apart again")
    func batches() throws {
        var options = PushOptions(bind: [try Endpoint("tcp://127.0.0.1:*")])
        options.batchLines = 3
        let outlet = try PushOutlet(options)
        var puller = try TestPuller(connectingTo: outlet.boundEndpoints[0])
        for number in 1...7 { try outlet.hand(bytes("\(number)"), number: UInt64(number)) }
        #expect(outlet.acknowledged < 7)
        try outlet.flush()
        try outlet.waitUntilAllLeft(7)
        let messages = try puller.messages(3)
        let lines = try messages.map { try linesOfBatch($0) }
        #expect(lines == [["1", "2", "3"], ["4", "5", "6"], ["7"]])
        #expect(try outlet.finish(until: inGoodTime(), end: never) == 0)
    }

    @Test("each message begins with an empty frame where that is asked for")
    func emptyTopic() throws {
        var puller = try TestPuller()
        var options = PushOptions(connect: [puller.endpoint])
        options.sendsEmptyTopic = true
        let outlet = try PushOutlet(options)
        try outlet.hand(bytes("line"), number: 1)
        #expect(try puller.frames() == [[], bytes("line")])
        #expect(try outlet.finish(until: inGoodTime(), end: never) == 0)
    }

    @Test("a peer that never comes gets no line, and what was packed for it is left over", arguments: [1, 10])
    func absentPeer(batchLines: Int) throws {
        var options = PushOptions(connect: [try Endpoint("tcp://127.0.0.1:\(freePort())")])
        options.batchLines = batchLines
        let outlet = try PushOutlet(options)
        let taken = try outlet.fill(with: bytes("line"))
        #expect(taken == (batchLines == 1 ? 0 : 10))
        #expect(outlet.acknowledged == 0)
        #expect(try outlet.finish(until: inGoodTime(.milliseconds(20)), end: never) == taken)
    }

    @Test(
        "what waits for a peer takes less than 8 MiB, whatever the lines' length",
        arguments: [0, 1, 130, 1024, 40_000, 100_000, 1 << 20], [1, 500])
    func memory(length: Int, batchLines: Int) throws {
        let gone = try GonePeer(batchLines: batchLines)
        let outlet = gone.outlet
        let before = try residentBytes()
        let lines = try outlet.fill(with: Array(repeating: 7, count: length), from: 2)
        #expect(lines >= 4)
        #expect(try residentBytes() - before < 8 << 20)
        #expect(try outlet.finish(until: .now, end: never) == lines)
    }

    @Test("an object six times as long as its line is in memory once, packed or not", arguments: [1, 500])
    func objectMemory(batchLines: Int) throws {
        let gone = try GonePeer(batchLines: batchLines)
        let outlet = gone.outlet
        var envelope = JSONEnvelope(type: "t", processID: 7)
        let line = [UInt8](repeating: 1, count: 1 << 20)
        let before = try residentBytes()
        #expect(try outlet.offers(line, in: &envelope, number: 2))
        for _ in 1...3 { #expect(try !outlet.offers(line, in: &envelope, number: 3)) }
        #expect(try residentBytes() - before < 8 << 20)
        #expect(try outlet.finish(until: .now, end: never) == 1)
    }

    @Test("a long record of a spool is in memory once, packed or not", arguments: [1, 500])
    func recordMemory(batchLines: Int) async throws {
        try await withSpool { spool in
            for _ in 0..<2 { try spool.append(longCount: 6 << 20) }
            let gone = try GonePeer(batchLines: batchLines)
            let outlet = gone.outlet
            let before = try residentBytes()
            #expect(try outlet.offer(spool.nextLong(), number: 2))
            let second = try spool.nextLong()
            for _ in 1...3 { #expect(try !outlet.offer(second, number: 3)) }
            #expect(try residentBytes() - before < 8 << 20)
            #expect(try outlet.finish(until: .now, end: never) == 1)
        }
    }

    @Test("long records of a spool arrive whole, in order with what is packed", arguments: [1, 3])
    func records(batchLines: Int) async throws {
        try await withSpool { spool in
            var options = PushOptions(bind: [try Endpoint("tcp://127.0.0.1:*")])
            options.batchLines = batchLines
            let outlet = try PushOutlet(options)
            var puller = try TestPuller(connectingTo: outlet.boundEndpoints[0])
            try outlet.hand(bytes("before"), number: 1)
            try spool.append(longCount: 300_000)
            let record = try spool.nextLong()
            while try !outlet.offer(record, number: 2) { try outlet.waitForRoom() }
            try outlet.hand(bytes("behind"), number: 3)
            try outlet.flush()
            let messages = try puller.messages(3)
            let lines =
                batchLines == 1
                ? messages.map { [String(decoding: $0, as: UTF8.self)] } : try messages.map(linesOfBatch)
            #expect(lines == [["before"], [String(repeating: "\u{1}", count: 300_000)], ["behind"]])
            try outlet.waitUntilAllLeft(3)
            #expect(try outlet.finish(until: inGoodTime(), end: never) == 0)
        }
    }

    @Test("objects of long lines arrive whole, in order with what is packed", arguments: LineEncoding.allCases)
    func objects(encoding: LineEncoding) throws {
        var options = PushOptions(bind: [try Endpoint("tcp://127.0.0.1:*")])
        options.batchLines = 3
        let outlet = try PushOutlet(options)
        var puller = try TestPuller(connectingTo: outlet.boundEndpoints[0])
        var envelope = JSONEnvelope(type: "t", processID: 7, encoding: encoding)
        let long = [[UInt8](repeating: 1, count: 100_000), [UInt8](repeating: 255, count: 100_000), bytes("short")]
        try outlet.hand(bytes("before"), number: 1)
        for (index, line) in long.enumerated() {
            while try !outlet.offers(line, in: &envelope, number: UInt64(index + 2)) { try outlet.waitForRoom() }
        }
        try outlet.hand(bytes("behind"), number: 5)
        try outlet.flush()
        let objects = long.map { line in
            line.withUnsafeBytes { line in String(decoding: envelope.wrap(line), as: UTF8.self) }
        }
        let batches = try puller.messages(5).map { try linesOfBatch($0) }
        #expect(batches == [["before"], [objects[0]], [objects[1]], [objects[2]], ["behind"]])
        try outlet.waitUntilAllLeft(5)
        #expect(try outlet.finish(until: inGoodTime(), end: never) == 0)
    }

    @Test("lines wait for their peer to return, and arrive in order", arguments: [10, 100_000])
    func returningPeer(length: Int) throws {
        let gone = try TestPuller()
        let endpoint = gone.endpoint
        var options = PushOptions(connect: [endpoint])
        options.reconnectInterval = .milliseconds(5)
        let outlet = try PushOutlet(options)
        let line = [UInt8](repeating: 7, count: length)
        while try !outlet.offers(line, number: 1) { try outlet.advance() }
        // libzmq keeps what it has not sent yet.
        let lines = try outlet.fill(with: line, from: 2) + 1
        _ = consume gone
        var puller = try TestPuller(bindingTo: endpoint)
        var came: [[UInt8]] = []
        for number in lines + 1...lines + 100 {
            while try !outlet.offers(bytes("\(number)"), number: number) {
                // Somebody has to read for there to be room, if it is not the connection that is waited for.
                if let message = try puller.messageAtHand() { came.append(message) }
                try outlet.advance()
            }
        }
        while came.last != bytes("\(lines + 100)") { came += try puller.frames() }
        let numbers = came.filter { $0 != line }
        #expect(numbers == (lines + 1...lines + 100).suffix(numbers.count).map { bytes("\($0)") })
        #expect(try outlet.finish(until: inGoodTime(), end: never) == 0)
    }

    @Test("a wait for room ends when the peer reads", arguments: [10, 1 << 20])
    func room(length: Int) async throws {
        let outlet = try PushOutlet(PushOptions(bind: [Endpoint("tcp://127.0.0.1:*")]))
        let line = [UInt8](repeating: 7, count: length)
        let box = PullerBox(try TestPuller(connectingTo: outlet.boundEndpoints[0], highWaterMark: 1))
        try outlet.hand(line, number: 1)
        let lines = 1 + (try outlet.fill(with: line, from: 2))
        let reading = Task.detached { await DedicatedThread(name: "puller").run { box.read(Int(lines) + 1) } }
        try outlet.hand(line, number: lines + 1)
        #expect(await reading.value == Int(lines) + 1)
        #expect(try outlet.finish(until: inGoodTime(), end: never) == 0)
    }

    @Test("a peer that is slow to the very end gets the last line too", arguments: ["tcp", "ipc"])
    func slowPeer(transport: String) async throws {
        try await withTemporaryFolder { folder in
            let endpoint = try Endpoint(transport == "ipc" ? "ipc://\(folder)/socket" : "tcp://127.0.0.1:*")
            let outlet = try PushOutlet(PushOptions(bind: [endpoint]))
            let line = [UInt8](repeating: 7, count: 1000)
            let box = PullerBox(try TestPuller(connectingTo: outlet.boundEndpoints[0], highWaterMark: 1))
            try outlet.hand(line, number: 1)
            let lines = 1 + (try outlet.fill(with: line, from: 2))
            let reading = Task.detached {
                await DedicatedThread(name: "puller").run {
                    usleep(100_000)
                    // What is left then is in the kernel.
                    return box.read(Int(lines), restingBefore: 30)
                }
            }
            #expect(try outlet.finish(until: inGoodTime(), end: never) == 0)
            #expect(await reading.value == Int(lines))
        }
    }

    @Test("a wait for lines to leave ends though they left before it began")
    func earlyLeaving() throws {
        let outlet = try PushOutlet(PushOptions(bind: [Endpoint("tcp://127.0.0.1:*")]))
        var puller = try TestPuller(connectingTo: outlet.boundEndpoints[0])
        try outlet.hand(bytes("first"), number: 1)
        _ = try puller.frames()
        try outlet.waitUntilAllLeft(1)
        // The connection has nothing more to tell.
        while try puller.isEmpty() && outlet.isReady() { try outlet.advance() }
        try outlet.hand(bytes("second"), number: 2)
        // libzmq lets go of a short line before it writes it.
        _ = try puller.frames()
        try outlet.waitForLeaving()
        #expect(outlet.acknowledged == 2)
        #expect(try outlet.finish(until: inGoodTime(), end: never) == 0)
    }

    @Test("a receiver that stops reading does not stop the other", arguments: [10, 130])
    func stuckPeer(length: Int) async throws {
        let outlet = try PushOutlet(PushOptions(bind: [Endpoint("tcp://127.0.0.1:*")]))
        let line = [UInt8](repeating: 7, count: length)
        let stuck = try TestPuller(connectingTo: outlet.boundEndpoints[0], highWaterMark: 1)
        let box = PullerBox(try TestPuller(connectingTo: outlet.boundEndpoints[0]))
        // More than the one that does not read, the kernel and the outlet could hold.
        let count = 25_000_000 / length
        let isDone = Flag()
        let reading = Task.detached {
            await DedicatedThread(name: "puller").run { box.read(count) { isDone.set() } }
        }
        var number: UInt64 = 0
        while !isDone.isSet {
            number += 1
            try outlet.hand(line, number: number)
        }
        let left = try outlet.finish(until: .now, end: never)
        #expect(left > 0)
        #expect(outlet.acknowledged + outlet.counts.ahead + left == number)
        #expect(await reading.value == count)
        _ = consume stuck
    }

    @Test("a receiver that was lost is still in the counts after the end")
    func lostReceiver() throws {
        let outlet = try PushOutlet(PushOptions(bind: [Endpoint("tcp://127.0.0.1:*")]))
        var puller = try TestPuller(connectingTo: outlet.boundEndpoints[0])
        try outlet.hand(bytes("line"), number: 1)
        _ = try puller.frames()
        try outlet.waitUntilAllLeft(1)
        _ = consume puller
        while outlet.counts.receiversLost == 0 { try outlet.waitForLeaving() }
        #expect(try outlet.finish(until: inGoodTime(), end: never) == 0)
        #expect(outlet.counts.receiversLost == 1)
    }

    @Test("a descriptor that becomes readable ends the last wait at once")
    func hurry() throws {
        let outlet = try GonePeer().outlet
        #expect(try outlet.offers(bytes("line"), number: 2))
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        close(ends[1])
        defer { close(ends[0]) }
        let start = ContinuousClock.now
        #expect(try outlet.finish(until: inGoodTime(.seconds(60)), end: ends[0]) == 1)
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("options that cannot be used are refused with their reason")
    func badOptions() throws {
        let none = #expect(throws: LogTransportError.self) { try PushOutlet(PushOptions()) }
        #expect(none?.code == .invalidArgument)
        var puller = try TestPuller()
        let taken = #expect(throws: LogTransportError.self) { try PushOutlet(PushOptions(bind: [puller.endpoint])) }
        #expect(taken?.code == .unavailable)
        #expect(try puller.isEmpty())
        var options = PushOptions(connect: [puller.endpoint])
        options.highWaterMark = 0
        let unbounded = #expect(throws: LogTransportError.self) { try PushOutlet(options) }
        #expect(unbounded?.code == .invalidArgument)
    }
}

/// Something that one thread tells another.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}

/// A puller that a thread of its own reads from.
private final class PullerBox: Sendable {
    private let puller: Mutex<TestPuller>

    init(_ puller: consuming sending TestPuller) { self.puller = Mutex(puller) }

    /// Reads `count` messages, and then, once `done` was called, those that come without a pause.
    ///
    /// Rests for a while before the last `last` of the first.
    ///
    /// - Returns: How many of the first came.
    func read(_ count: Int, restingBefore last: Int? = nil, done: () -> Void = {}) -> Int {
        puller.withLock { puller in
            for number in 0..<count {
                if let last, number == count - last { usleep(300_000) }
                if (try? puller.frames()) == nil { return number }
            }
            done()
            while (try? puller.isEmpty()) == false { _ = try? puller.frames() }
            return count
        }
    }
}

func linesOfBatch(_ message: [UInt8]) throws -> [String] {
    try message.withUnsafeBytes { bytes in
        var batch = try Batch(bytes)
        var lines: [String] = []
        while let line = batch.next() { lines.append(String(decoding: line, as: UTF8.self)) }
        return lines
    }
}

/// What this process has in memory.
func residentBytes() throws -> Int {
    let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = read(file, &buffer, buffer.count)
    let fields = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { throw TestServerError("no /proc/self/statm") }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
}
