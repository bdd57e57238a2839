import Glibc
import LogTransport
import Synchronization
import TestServers
import Testing
import ZeroMQ

@Suite struct EndOfInputTests {
    @Test("all lines arrive in order, and the end of the input ends the relay") func order() async throws {
        let input = try InputPipe()
        let stand = try RelayStand(input: input)
        let peer = try Peer(connectingTo: try await stand.endpoint())
        let count = 100_000
        let text = (0..<count).map { "line \($0)\n" }.joined()
        await stand.write(text + "unterminated")
        input.closeWriter()
        let report = try await stand.running.report()
        try await eventually { peer.received.count == count + 1 }
        #expect(peer.received == (0..<count).map { "line \($0)" } + ["unterminated"])
        #expect(report.linesIn == UInt64(count + 1))
        #expect(report.linesOut == UInt64(count + 1))
        #expect(report.bytesIn == UInt64(text.utf8.count + 12))
        #expect(report.waiting == 0)
        await peer.stop()
    }
}
