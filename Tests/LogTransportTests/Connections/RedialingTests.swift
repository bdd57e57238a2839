import Synchronization
import TestServers
import Testing
import ZeroMQ

@testable import LogTransport

/// Connections that libzmq itself would not make again.
@Suite(.timeLimit(.minutes(1))) struct RedialingTests {
    private let log = RecordedLog()

    @Test("a receiver whose sender delivers otherwise says so, and gets lines once the sender is right")
    func receiver() async throws {
        let port = try freePort()
        var options = ReceiverOptions(connect: [try Endpoint("tcp://127.0.0.1:\(port)")])
        options.reconnectInterval = .milliseconds(50)
        let receiver = try Receiver(options, logger: log.logger)
        let other = try ReliableOutlet(ReliableOutletOptions(binds: options.connect), logger: RecordedLog().logger)
        try await eventually("the warning") { log.warnings.contains { $0.contains("do not belong together") } }
        _ = try other.finish(until: .now, end: -1)

        let outlet = try PushOutlet(PushOptions(bind: options.connect))
        try outlet.hand(bytes("line"), number: 1)
        #expect(try await receiver.get().text == "line")
        _ = try outlet.finish(until: .now, end: -1)
        await receiver.close()
    }

    @Test("a reliable receiver whose sender pushes says so, and gets lines once the sender is right")
    func reliableReceiver() async throws {
        let port = try freePort()
        var options = ReceiverOptions(connect: [try Endpoint("tcp://127.0.0.1:\(port)")])
        options.delivery = .reliable
        options.reconnectInterval = .milliseconds(50)
        let receiver = try Receiver(options, logger: log.logger)
        let other = try PushOutlet(PushOptions(bind: options.connect))
        try await eventually("the warning") { log.warnings.contains { $0.contains("do not belong together") } }
        _ = try other.finish(until: .now, end: -1)

        let sender = NumberedSender(ReliableOutletOptions(binds: options.connect), count: 1)
        async let sending = sender.run()
        #expect(try await receiver.get().text == "1")
        receiver.acknowledge()
        #expect(try await sending.left == 0)
        await receiver.close()
    }

    @Test("a sender whose receiver is of another kind says so, and keeps all its lines for one of the right kind")
    func sender() throws {
        let port = try freePort()
        var options = PushOptions(connect: [try Endpoint("tcp://127.0.0.1:\(port)")])
        options.reconnectInterval = .milliseconds(50)
        let outlet = try PushOutlet(options, logger: log.logger)
        // Nothing is given to libzmq before it is known that the other side takes it.
        #expect(try !outlet.offers(bytes("1"), number: 1))
        var dealer = try Socket(.dealer, in: Context())
        try dealer.bind(options.connect[0])
        while log.warnings.isEmpty { try outlet.advance() }
        #expect(log.warnings[0].contains("do not belong together"))
        #expect(try !outlet.offers(bytes("1"), number: 1))
        try dealer.unbind(options.connect[0])
        _ = consume dealer

        var puller = try Socket(.pull, in: Context())
        try puller.bind(options.connect[0])
        for number in 1...100 {
            while try !outlet.offers(bytes("\(number)"), number: UInt64(number)) { try outlet.advance() }
        }
        #expect(try outlet.finish(until: inGoodTime(), end: -1) == 0)
        var message = Message()
        for number in 1...100 {
            #expect(try puller.receive(into: &message, wait: true))
            #expect(message.bytes == bytes("\(number)"))
        }
    }

    @Test(
        "what was queued for a receiver whose place a wrong one takes is counted as dropped, and told to the next",
        arguments: [1, 7])
    func replaced(batchLines: Int) throws {
        let port = try freePort()
        var options = PushOptions(connect: [try Endpoint("tcp://127.0.0.1:\(port)")])
        options.reconnectInterval = .milliseconds(50)
        options.batchLines = batchLines
        var form = LineForm()
        form.envelope = LineForm.Envelope(type: "t", processID: 7)
        let outlet = try PushOutlet(options, form: form, logger: log.logger)
        var few = SocketOptions()
        few.receiveHighWaterMark = 1
        var puller = try Socket(.pull, in: Context(), options: few)
        try puller.bind(options.connect[0])
        let line = [UInt8](repeating: 7, count: 10_000)
        while try !outlet.offers(line, number: 1) { try outlet.advance() }
        // Nobody reads, so that in the end what waits stays with libzmq.
        let taken = try outlet.fillUp(with: line, from: 2) + 1
        try puller.unbind(options.connect[0])
        _ = consume puller

        var dealer = try Socket(.dealer, in: Context())
        try dealer.bind(options.connect[0])
        while outlet.counts.droppedOldest == 0 { try outlet.advance() }
        #expect(log.warnings.contains { $0.contains("is lost") })
        try dealer.unbind(options.connect[0])
        _ = consume dealer

        var next = try Socket(.pull, in: Context())
        try next.bind(options.connect[0])
        while try !outlet.offers(bytes("next"), number: taken + 1) { try outlet.advance() }
        #expect(try outlet.finish(until: inGoodTime(), end: -1) == 0)
        let dropped = outlet.counts.droppedOldest
        #expect(dropped > 0 && dropped < taken)
        #expect(outlet.counts.missing == dropped && outlet.acknowledged == taken + 1)
        var lines: [String] = []
        var message = Message()
        while lines.last != "next" {
            #expect(try next.receive(into: &message, wait: true))
            lines +=
                try batchLines == 1 ? [String(decoding: message.bytes, as: UTF8.self)] : linesOfBatch(message.bytes)
        }
        let note = DropNote(count: dropped, reason: .lostWithReceiver).text
        #expect(lines.first == #"{"message":"\#(note)","type":"t","@pid":7}"#)
        // What was packed and not yet given to libzmq comes behind the note.
        #expect(lines.count <= batchLines + 2)
    }

    @Test("a receiver that got a message that is too long is there for the next")
    func tooLong() async throws {
        var options = ReceiverOptions()
        let outlet = try PushOutlet(PushOptions(bind: [try Endpoint("tcp://127.0.0.1:*")]))
        options.connect = outlet.boundEndpoints
        options.maximumMessageSize = 1_000
        options.reconnectInterval = .milliseconds(50)
        let receiver = try Receiver(options, logger: log.logger)
        try outlet.hand(bytes("short"), number: 1)
        #expect(try await receiver.get().text == "short")
        try outlet.hand([UInt8](repeating: 7, count: 2_000), number: 2)
        try await eventually("the loss") {
            try outlet.advance()
            return outlet.counts.receiversLost == 1
        }
        // One that is handed on in the moment of the loss may go with the connection.
        let next = Mutex("")
        let receiving = Task {
            let text = try await receiver.get().text
            next.withLock { $0 = text }
        }
        var number: UInt64 = 2
        try await eventually("the next") {
            number += 1
            try outlet.hand(bytes("next"), number: number)
            return next.withLock { $0 == "next" }
        }
        try await receiving.value
        _ = try outlet.finish(until: .now, end: -1)
        await receiver.close()
    }

    @Test("a connection that libzmq tries to make again is let alone, also where it writes a name's address")
    func retried() throws {
        let endpoints = try ["tcp://127.0.0.1:1", "tcp://one:2", "tcp://two:3"].map { try Endpoint($0) }
        var redialing = Redialing(endpoints, interval: .seconds(1))
        let now = ContinuousClock.now
        for endpoint in endpoints { redialing.note(SocketEvent(.connected, endpoint: "\(endpoint)"), now: now) }
        // libzmq tries two of them again, and has the address of a name by then.
        redialing.note(SocketEvent(.disconnected, endpoint: "tcp://127.0.0.1:1"), now: now)
        redialing.note(SocketEvent(.connectRetried, endpoint: "tcp://127.0.0.1:1"), now: now)
        redialing.note(SocketEvent(.disconnected, endpoint: "tcp://two:3"), now: now)
        redialing.note(SocketEvent(.connectRetried, endpoint: "tcp://127.0.0.3:3"), now: now)
        redialing.note(SocketEvent(.disconnected, endpoint: "tcp://one:2"), now: now)
        #expect(redialing.due(now: now).isEmpty)
        let later = try #require(redialing.deadline)
        #expect(later == now + .seconds(1))
        #expect(redialing.due(now: later) == [endpoints[1]])
        #expect(redialing.due(now: later).isEmpty)
        // The address is remembered.
        redialing.note(SocketEvent(.connected, endpoint: "tcp://127.0.0.3:3"), now: now)
        redialing.note(SocketEvent(.disconnected, endpoint: "tcp://127.0.0.3:3"), now: now)
        #expect(redialing.due(now: later) == [endpoints[2]])
        // A name may have another address the next time.
        redialing.note(SocketEvent(.connected, endpoint: "tcp://127.0.0.3:3"), now: now)
        redialing.note(SocketEvent(.disconnected, endpoint: "tcp://127.0.0.3:3"), now: now)
        redialing.note(SocketEvent(.connectRetried, endpoint: "tcp://127.0.0.4:3"), now: now)
        #expect(redialing.due(now: later).isEmpty)
        // What was bound is nobody's business here.
        redialing.note(SocketEvent(.disconnected, endpoint: "tcp://0.0.0.0:5"), now: now)
        #expect(redialing.deadline == nil)
    }

    @Test("a host without an address is told") func unknownHost() async throws {
        // It is longer than a name may be: no server is asked, that might not answer.
        let endpoint = try Endpoint("tcp://\(String(repeating: "x", count: 64)).invalid:5000")
        warnOfUnknownHosts(in: [endpoint, try Endpoint("tcp://localhost:5000")], logger: log.logger)
        try await eventually("the warning") { !log.warnings.isEmpty }
        #expect(log.warnings.count == 1 && log.warnings[0].contains("\(endpoint)"))
    }
}
