import Glibc
import LogTransport
import TestServers
import Testing

@Suite struct ConfirmationTests {
    @Test("OK is said once at the start and then once for each line that has left") func afterLeaving() async throws {
        var options = RelayOptions()
        options.confirms = true
        let stand = try RelayStand(options: options)
        let endpoint = try await stand.endpoint()
        try await eventually { stand.confirmations.text == "OK\n" }
        await stand.write("a\nb\n")
        try await eventually { stand.running.relay.report.linesIn > 0 }
        #expect(stand.confirmations.text == "OK\n")
        let peer = try Peer(connectingTo: endpoint)
        try await eventually { stand.confirmations.text == "OK\nOK\nOK\n" }
        await stand.write("c\n")
        try await eventually { stand.confirmations.text == "OK\nOK\nOK\nOK\n" }
        stand.input.closeWriter()
        _ = try await stand.running.report()
        #expect(stand.confirmations.text == "OK\nOK\nOK\nOK\n")
        try await eventually { peer.received == ["a", "b", "c"] }
        await peer.stop()
    }

    @Test("lines that are left over are not confirmed") func leftOver() async throws {
        var options = RelayOptions()
        options.confirms = true
        options.linger = .milliseconds(20)
        let stand = try RelayStand(options: options)
        await stand.write("a\nb\n")
        stand.input.closeWriter()
        #expect(try await stand.running.report().waiting == 2)
        #expect(stand.confirmations.text == "OK\n")
    }

    @Test("a reader of confirmations that is gone does no harm") func readerGone() async throws {
        signal(SIGPIPE, SIG_IGN)
        var options = RelayOptions()
        options.confirms = true
        let stand = try RelayStand(options: options)
        let peer = try Peer(connectingTo: try await stand.endpoint())
        stand.confirmations.close()
        await stand.write("a\n")
        stand.input.closeWriter()
        #expect(try await stand.running.report().linesOut == 1)
        try await eventually { peer.received == ["a"] }
        await peer.stop()
    }
}
