import LogTransport
import TestServers
import Testing
import ZeroMQ

@Suite struct CasterTests {
    @Test("what a program casts arrives in order, and closing waits for it") func order() async throws {
        let endpoint = FirstEndpoint()
        let caster = try await Caster { () throws(LogTransportError) in
            try SocketOutlet(bindingTo: .anyPort) { endpoint.set($0.description) }
        }
        let peer = try Peer(connectingTo: try await endpoint.value())
        let lines = numbered(50_000)
        for line in lines { try await caster.cast(line) }
        try await caster.cast([0, 255, 10])
        let report = try await caster.close()
        #expect(report.linesIn == 50_001)
        #expect(report.linesOut == 50_001)
        #expect(report.waiting == 0)
        try await eventually { peer.received.count == 50_001 }
        #expect(peer.received.dropLast() == lines[...])
        await peer.stop()
    }

    @Test("a message that begins as a batch does arrives as it is")
    func likeBatch() async throws {
        let receiver = try Receiver(ReceiverOptions(bind: [try Endpoint("tcp://127.0.0.1:*")]))
        let options = PushOptions(connect: [try #require(receiver.boundEndpoints.first)])
        let caster = try await Caster(pushing: options)
        let messages: [[UInt8]] = [
            [1, 2, 3], [0x0a, 0x4c, 0x42, 0x41] + Array(repeating: 7, count: 8), [0x0a, 0x4c, 0x42, 0x41], [4],
        ]
        for message in messages { try await caster.cast(message) }
        for message in messages { #expect(try await receiver.get().bytes == message) }
        let report = try await caster.close()
        #expect(report.linesOut == 4)
        await receiver.close()
    }

    @Test("a cast waits while there is no room, and goes on when there is") func room() async throws {
        let endpoint = FirstEndpoint()
        let caster = try await Caster { () throws(LogTransportError) in
            try SocketOutlet(bindingTo: .anyPort, highWaterMark: 10) { endpoint.set($0.description) }
        }
        let address = try await endpoint.value()
        let message = [UInt8](repeating: 1, count: 1 << 20)
        let casting = Task { for _ in 0..<20 { try await caster.cast(message) } }
        try await eventually { caster.report.linesIn > 0 }
        #expect(caster.report.linesIn < 20)
        let peer = try Peer(connectingTo: address, highWaterMark: 10)
        try await casting.value
        #expect(try await caster.close().linesOut == 20)
        try await eventually { peer.received.count == 20 }
        await peer.stop()
    }

    @Test("a cast that is cancelled while it waits ends, and a closed caster takes nothing") func end() async throws {
        var options = RelayOptions()
        options.linger = .milliseconds(20)
        let caster = try await Caster(options: options) { () throws(LogTransportError) in
            try SocketOutlet(bindingTo: .anyPort)
        }
        let message = [UInt8](repeating: 1, count: 1 << 20)
        let casting = Task { while true { try await caster.cast(message) } }
        try await eventually { caster.report.linesIn > 0 }
        casting.cancel()
        await #expect(throws: LogTransportError.self) { try await casting.value }
        let report = try await caster.close()
        #expect(report.linesOut == 0)
        #expect(report.waiting == report.linesIn)
        #expect(report.waiting > 0)
        let error = await #expect(throws: LogTransportError.self) { try await caster.cast("late") }
        #expect(error?.code == .closed)
        #expect(try await caster.close().waiting == report.waiting)
    }

    @Test("a message that is too long and an endpoint that is none are refused") func refusals() async throws {
        var options = RelayOptions()
        options.maximumLine = 10
        let caster = try await Caster(binding: "tcp://127.0.0.1:*", options: options)
        let error = await #expect(throws: LogTransportError.self) { try await caster.cast("longer than ten") }
        #expect(error?.code == .invalidArgument)
        try await caster.close()
        await #expect(throws: LogTransportError.self) { _ = try await Caster(binding: "nowhere") }
    }
}
