import Glibc
import TestServers
import Testing
import ZeroMQ

@testable import LogTransport

@Suite(.timeLimit(.minutes(1))) struct PeerWatchTests {
    private let log = RecordedLog()

    @Test("a peer that goes away is lost; one that is turned away was never there")
    func turnedAway() throws {
        let context = try Context()
        var push = try Socket(.push, in: context)
        var watch = try PeerWatch(push, in: context, logger: log.logger)
        let port = try freePort()
        let endpoint = try push.bind(Endpoint("tcp://127.0.0.1:\(port)"))

        try turnAway(3, on: port, &watch)
        #expect(watch.peers == 0 && watch.lost == 0)

        let puller = try TestPuller(connectingTo: endpoint)
        while watch.peers == 0 { try watch.advanceOnce() }
        try turnAway(3, on: port, &watch)
        #expect(watch.peers == 1 && watch.lost == 0)
        #expect(log.infos == ["a peer is there on \(endpoint)"])

        _ = consume puller
        while !watch.connections.isEmpty { try watch.advanceOnce() }
        #expect(watch.peers == 0 && watch.lost == 1)
        #expect(log.infos.last == "a peer on \(endpoint) is gone")
    }

    /// Connects, fails to greet in several ways, and waits until that has been noticed.
    private func turnAway(_ count: Int, on port: Int, _ watch: inout PeerWatch) throws {
        let before = watch.connections.count
        // ZMTP's greeting (ZeroMQ RFC 23) with a mechanism that there is not, and none at all.
        let junk = [0xFF] + zeros(8) + [0x7F, 3, 0] + Array("JUNK".utf8) + zeros(16 + 32)
        for greeting in [junk, []] {
            for _ in 1...count {
                let connection = connectToLoopback(port: port)
                while watch.connections.count == before { try watch.advanceOnce() }
                #expect(write(connection, greeting, greeting.count) == greeting.count)
                close(connection)
                while watch.connections.count > before { try watch.advanceOnce() }
            }
        }
    }
}

private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

extension PeerWatch {
    /// Waits for something to happen, and takes it in.
    fileprivate mutating func advanceOnce() throws {
        var items = [pollItem]
        guard try poll(&items, timeout: .seconds(20)) == 1 else { throw TestServerError("no event came") }
        try advance()
    }
}
