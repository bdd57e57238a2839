import Glibc
import TestServers
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(1))) struct SocketMonitorTests {
    @Test("both sides are told of a connection, of its handshake and of its end")
    func life() throws {
        let context = try Context()
        var push = try Socket(.push, in: context)
        var pushMonitor = try SocketMonitor(of: push, in: context)
        let endpoint = try push.bind(Endpoint("tcp://127.0.0.1:*"))
        var pullMonitor: SocketMonitor
        do {
            var pull = try Socket(.pull, in: context)
            pullMonitor = try SocketMonitor(of: pull, in: context)
            try pull.connect(endpoint)
            try pullMonitor.expect(.connected, on: endpoint)
            try pullMonitor.expect(.handshakeSucceeded, on: endpoint)
            try pushMonitor.expect(.accepted, on: endpoint)
            try pushMonitor.expect(.handshakeSucceeded, on: endpoint)
            pull.close()
        }
        try pushMonitor.expect(.disconnected, on: endpoint)
        #expect(try pushMonitor.next() == nil)
    }

    @Test("a peer that wants a security mechanism that there is not is turned away, and the reason told")
    func unknownMechanism() throws {
        let context = try Context()
        var pull = try Socket(.pull, in: context)
        var monitor = try SocketMonitor(of: pull, in: context)
        let port = try freePort()
        try pull.bind(Endpoint("tcp://127.0.0.1:\(port)"))
        let connection = connectToLoopback(port: port)
        defer { close(connection) }
        // ZMTP's greeting (ZeroMQ RFC 23): signature, version 3.0, 20 bytes of mechanism, 32 of nothing.
        let greeting = [0xFF] + zeros(8) + [0x7F, 3, 0] + Array("JUNK".utf8) + zeros(16 + 32)
        #expect(write(connection, greeting, greeting.count) == greeting.count)
        var event = try monitor.event()
        while event.kind != .handshakeFailed(.mechanismMismatch) { event = try monitor.event() }
        let start = "a peer on tcp://127.0.0.1:\(port) was turned away, or turned this side away: "
        #expect(event.description.hasPrefix(start))
    }

    @Test("a peer that connects and says nothing is disconnected after the handshake's time-out")
    func silence() throws {
        let context = try Context()
        var options = SocketOptions()
        options.handshakeTimeout = .milliseconds(50)
        var pull = try Socket(.pull, in: context, options: options)
        var monitor = try SocketMonitor(of: pull, in: context)
        let port = try freePort()
        let endpoint = try pull.bind(Endpoint("tcp://127.0.0.1:\(port)"))
        let connection = connectToLoopback(port: port)
        defer { close(connection) }
        try monitor.expect(.accepted, on: endpoint)
        guard case .connectionLost = try monitor.failure() else {
            Issue.record("the peer was turned away for another reason")
            return
        }
    }
}

private func zeros(_ count: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: count)
}

extension SocketMonitor {
    /// Expects the next event to be of this kind, on this endpoint.
    fileprivate mutating func expect(
        _ kind: SocketEvent.Kind, on endpoint: Endpoint, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let event = try event()
        #expect(event.kind == kind, sourceLocation: sourceLocation)
        #expect(event.endpoint == endpoint.description, sourceLocation: sourceLocation)
    }
}
