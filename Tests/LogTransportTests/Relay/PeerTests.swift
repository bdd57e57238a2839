import LogTransport
import TestServers
import Testing
import ZeroMQ

@Suite struct PeerTests {
    @Test("lines wait for a peer that is absent, and the writer waits with them") func absent() async throws {
        let stand = try RelayStand()
        let endpoint = try await stand.endpoint()
        let lines = numbered(200_000)
        let writing = Task { await stand.write(lines.map { $0 + "\n" }.joined()) }
        // More than one block and the pipe cannot be taken in: that is what bounds the memory.
        try await eventually { stand.input.isFull && stand.running.relay.report.linesIn > 0 }
        #expect(stand.running.relay.report.bytesIn <= 131_072)
        let peer = try Peer(connectingTo: endpoint)
        await writing.value
        stand.input.closeWriter()
        let report = try await stand.running.report()
        try await eventually { peer.received.count == lines.count }
        #expect(peer.received == lines)
        #expect(report.linesOut == UInt64(lines.count))
        await peer.stop()
    }

    @Test("a slow peer slows the writer, and gets every line in order") func slow() async throws {
        let stand = try RelayStand(highWaterMark: 10)
        let peer = try Peer(
            connectingTo: try await stand.endpoint(), highWaterMark: 10, every: .microseconds(100))
        let lines = numbered(3000, width: 2000)
        let writing = Task { await stand.write(lines.map { $0 + "\n" }.joined()) }
        await writing.value
        stand.input.closeWriter()
        _ = try await stand.running.report()
        try await eventually { peer.received.count == lines.count }
        #expect(peer.received == lines)
        await peer.stop()
    }

    @Test("a peer that comes and goes gets lines in order, none twice") func flapping() async throws {
        let stand = try RelayStand(highWaterMark: 100)
        let endpoint = try await stand.endpoint()
        let lines = numbered(300_000)
        // Some are written for each peer, so that one cannot take all, however long it is left alone.
        var rest = lines[...]
        var writing: Task<Void, Never>?
        func writeSome() {
            let (text, before) = (rest.prefix(60_000).map { $0 + "\n" }.joined(), writing)
            rest = rest.dropFirst(60_000)
            writing = Task {
                await before?.value
                await stand.write(text)
            }
        }
        var received: [String] = []
        for _ in 0..<4 {
            let peer = try Peer(connectingTo: endpoint)
            writeSome()
            try await eventually { !peer.received.isEmpty }
            await peer.stop()
            received += peer.received
        }
        let last = try Peer(connectingTo: endpoint)
        writeSome()
        await writing?.value
        stand.input.closeWriter()
        _ = try await stand.running.report()
        try await eventually { last.received.last == lines.last }
        received += last.received
        await last.stop()
        // Numbers have the same width: their order is that of the text.
        #expect(zip(received, received.dropFirst()).allSatisfy { $0 < $1 })
    }
}
