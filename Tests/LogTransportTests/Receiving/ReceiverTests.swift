import LogTransport
import TestServers
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(1))) struct ReceiverTests {
    private let never: Int32 = -1

    @Test("lines come in order, one a message or in batches, whichever side binds", arguments: [1, 7], [true, false])
    func lines(batchLines: Int, receiverBinds: Bool) async throws {
        let (receiver, outlet) = try connected(batchLines: batchLines, receiverBinds: receiverBinds)
        let handing = Task.detached {
            for number in 1...1000 { try outlet.value.hand(bytes("\(number)"), number: UInt64(number)) }
            try outlet.value.flush()
            return try outlet.value.finish(until: inGoodTime(), end: -1)
        }
        for number in 1...1000 {
            let message = try await receiver.get()
            #expect(message.text == "\(number)")
            #expect(message.id == nil)
        }
        #expect(try await handing.value == 0)
        await receiver.close()
    }

    @Test("a loop over a receiver ends when it is closed, and get() says so") func closing() async throws {
        let receiver = try Receiver("tcp://127.0.0.1:\(freePort())")
        let counting = Task {
            var count = 0
            for try await _ in receiver { count += 1 }
            return count
        }
        await receiver.close()
        #expect(try await counting.value == 0)
        let error = await #expect(throws: LogTransportError.self) { try await receiver.get() }
        #expect(error?.code == .closed)
    }

    @Test("a task that is cancelled does not wait, and the receiver goes on for others") func cancellation()
        async throws
    {
        let (receiver, outlet) = try connected(batchLines: 1, receiverBinds: true)
        let waiting = Task { try await receiver.get() }
        waiting.cancel()
        await #expect(throws: LogTransportError.self) { try await waiting.value }
        try outlet.value.hand(bytes("line"), number: 1)
        #expect(try await receiver.get().text == "line")
        #expect(try outlet.value.finish(until: inGoodTime(), end: never) == 0)
    }

    @Test("a task that waits behind another one ends when it is cancelled") func cancellationBehind() async throws {
        let (receiver, outlet) = try connected(batchLines: 1, receiverBinds: true)
        let tasks = (0..<2).map { _ in Task { try await receiver.get() } }
        // Whichever is behind the other by now.
        try await Task.sleep(for: .milliseconds(50))
        for task in tasks.reversed() {
            task.cancel()
            await #expect(throws: LogTransportError.self) { try await task.value }
        }
        try outlet.value.hand(bytes("line"), number: 1)
        #expect(try await receiver.get().text == "line")
        #expect(try outlet.value.finish(until: inGoodTime(), end: never) == 0)
    }

    @Test("closing tells the sender of all lines that were given but the last, which comes again elsewhere")
    func closingReliable() async throws {
        let sender = NumberedSender(ReliableOutletOptions(binds: [try NumberedSender.anyPort]), count: 10)
        async let outcome = sender.run()
        var options = ReceiverOptions(connect: [try #require(try await sender.endpoint())])
        options.delivery = .reliable
        let first = try Receiver(options)
        for number in 1...5 { #expect(try await first.get().text == "\(number)") }
        await first.close()
        let second = try Receiver(options)
        for number in 5...10 { #expect(try await second.get().text == "\(number)") }
        second.acknowledge()
        #expect(try await outcome.left == 0)
        await second.close()
    }

    @Test("several tasks share the lines of one receiver, and each is given once") func sharing() async throws {
        let (receiver, outlet) = try connected(batchLines: 10, receiverBinds: true)
        for number in 1...400 { try outlet.value.hand(bytes("\(number)"), number: UInt64(number)) }
        #expect(try outlet.value.finish(until: inGoodTime(), end: never) == 0)
        let lines = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 1...4 {
                group.addTask {
                    var lines: [String] = []
                    for _ in 1...100 { lines.append(try await receiver.get().text) }
                    return lines
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(lines) == Set((1...400).map { "\($0)" }))
    }

    @Test("a receiver that nobody asks stops reading: the lines wait at the sender") func backpressure() async throws {
        let receiver = try Receiver(ReceiverOptions(bind: [Endpoint("tcp://127.0.0.1:*")]))
        let outlet = try PushOutlet(PushOptions(connect: receiver.boundEndpoints))
        let line = [UInt8](repeating: 7, count: 100_000)
        var number: UInt64 = 0
        // More than both sides and the kernel keep; it is the sender that has no room in the end.
        while number < 5000, try outlet.offers(line, number: number + 1) || hasRoomSoon(outlet) { number += 1 }
        #expect(number < 1000)
        #expect(try await receiver.get().bytes == line)
        await receiver.close()
        _ = try outlet.finish(until: .now, end: never)
    }

    @Test("empty topics are no lines, a damaged batch is counted, and the rest goes on") func odd() async throws {
        let receiver = try Receiver(ReceiverOptions(bind: [Endpoint("tcp://127.0.0.1:*")]))
        var options = SocketOptions()
        options.linger = .seconds(10)
        var push = try Socket(.push, in: Context(), options: options)
        try push.connect(receiver.boundEndpoints[0])
        #expect(try push.send([], more: true, wait: true))
        #expect(try push.send(bytes("with a topic"), wait: true))
        #expect(try push.send(bytes("\nLBA\u{1}\0\0\0\0\0\0\u{9}too short"), wait: true))
        #expect(try push.send([], wait: true))
        #expect(try push.send(bytes("last"), wait: true))
        #expect(try await receiver.get().text == "with a topic")
        #expect(try await receiver.get().text == "")
        #expect(try await receiver.get().text == "last")
        #expect(receiver.garbage == 1)
        await receiver.close()
    }

    @Test("however many damaged messages come, each is counted, and the log gets two lines") func damage() async throws
    {
        let log = RecordedLog()
        let receiver = try Receiver(ReceiverOptions(bind: [Endpoint("tcp://127.0.0.1:*")]), logger: log.logger)
        var options = SocketOptions()
        options.linger = .seconds(10)
        var push = try Socket(.push, in: Context(), options: options)
        try push.connect(receiver.boundEndpoints[0])
        for _ in 1...1000 { #expect(try push.send(bytes("\nLBA\u{9}garbage!!"), wait: true)) }
        #expect(try push.send(bytes("line"), wait: true))
        #expect(try await receiver.get().text == "line")
        #expect(receiver.garbage == 1000)
        await receiver.close()
        let warnings = log.warnings
        #expect(warnings.count == 2)
        #expect(warnings.last == "999 damaged messages were dropped since the last warning")
    }

    @Test("what is no endpoint, and no endpoint at all, is refused") func badEndpoints() {
        for endpoints in [["5000"], ["inproc://x"], ["tcp://*:5000"]] {
            let error = #expect(throws: LogTransportError.self) { try Receiver(endpoints[0]) }
            #expect(error?.code == .invalidArgument)
        }
        let error = #expect(throws: LogTransportError.self) { try Receiver() }
        #expect(error?.code == .invalidArgument)
    }

    private func connected(batchLines: Int, receiverBinds: Bool) throws -> (Receiver, Handed<PushOutlet>) {
        var options: PushOptions
        if receiverBinds {
            let receiver = try Receiver(ReceiverOptions(bind: [Endpoint("tcp://127.0.0.1:*")]))
            options = PushOptions(connect: receiver.boundEndpoints)
            options.batchLines = batchLines
            return (receiver, Handed(try PushOutlet(options)))
        }
        options = PushOptions(bind: [try Endpoint("tcp://127.0.0.1:*")])
        options.batchLines = batchLines
        let outlet = try PushOutlet(options)
        return (try Receiver(outlet.boundEndpoints[0].description), Handed(outlet))
    }
}

/// Whether an outlet that refused a line has room for it within a moment.
private func hasRoomSoon(_ outlet: PushOutlet) throws -> Bool {
    var items = outlet.waits(forRoom: true).map { wait in
        switch wait.source {
        case .descriptor(let number): PollItem(descriptor: number, PollItem.Events(rawValue: wait.events.rawValue))
        case .socket(let handle): PollItem(socketHandle: handle, PollItem.Events(rawValue: wait.events.rawValue))
        }
    }
    guard try poll(&items, timeout: .milliseconds(500)) > 0 else { return false }
    try outlet.advance()
    return true
}

/// Something that goes from one thread to another and is used by one at a time.
///
/// `@unchecked Sendable`: the test that has it sees to that.
private struct Handed<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}
