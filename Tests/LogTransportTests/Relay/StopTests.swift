import Glibc
import LogTransport
import TestServers
import Testing

@Suite struct StopTests {
    @Test("what the pipe holds when the relay is asked to end is handed on") func pipe() async throws {
        let input = try InputPipe()
        let lines = numbered(3000)
        input.write(lines.map { $0 + "\n" }.joined() + "half a li")
        let stand = try RelayStand(input: input, stopsAtStart: true)
        let peer = try Peer(connectingTo: try await stand.endpoint())
        let report = try await stand.running.report()
        try await eventually { peer.received.count == lines.count + 1 }
        #expect(peer.received == lines + ["half a li"])
        #expect(report.waiting == 0)
        await peer.stop()
    }

    @Test("a relay that waits for input ends when it is asked to") func idle() async throws {
        let stand = try RelayStand()
        _ = try await stand.endpoint()
        stand.running.control.stop()
        #expect(try await stand.running.report().linesIn == 0)
    }

    @Test("a writer that never stops does not keep the relay from ending") func endlessWriter() async throws {
        let stand = try RelayStand()
        let peer = try Peer(connectingTo: try await stand.endpoint())
        let text = String(repeating: "line\n", count: 10_000)
        let writing = Task { await blocking { stand.input.write(endlessly: text) } }
        try await eventually { peer.received.count > 1000 }
        stand.running.control.stop()
        let report = try await stand.running.report()
        stand.input.closeReader()
        await writing.value
        #expect(report.linesIn == report.linesOut)
        await peer.stop()
    }

    @Test("lines that nobody takes within the linger are counted, those in the pipe too") func absentPeer() async throws
    {
        var options = RelayOptions()
        options.linger = .milliseconds(50)
        let input = try InputPipe()
        input.write(numbered(3000).map { $0 + "\n" }.joined())
        let stand = try RelayStand(input: input, options: options, stopsAtStart: true)
        let report = try await stand.running.report()
        #expect(report.linesIn == 3000)
        #expect(report.linesOut == 0)
        #expect(report.waiting == 3000)
    }

    @Test("a second request ends the linger, and what is left is counted") func second() async throws {
        let input = try InputPipe()
        input.write(numbered(100).map { $0 + "\n" }.joined())
        let stand = try RelayStand(input: input)
        _ = try await stand.endpoint()
        stand.running.control.stop()
        stand.running.control.stop()
        let report = try await stand.running.report()
        #expect(report.waiting == 100)
    }

    @Test("the first request does not cut short a linger that began at the end of the input") func linger() async throws
    {
        let stand = try RelayStand()
        let endpoint = try await stand.endpoint()
        await stand.write("a\nb\nc\n")
        stand.input.closeWriter()
        try await eventually { stand.running.relay.report.linesIn > 0 }
        stand.running.control.stop()
        let peer = try Peer(connectingTo: endpoint)
        let report = try await stand.running.report()
        #expect(report.waiting == 0)
        try await eventually { peer.received == ["a", "b", "c"] }
        await peer.stop()
    }

    @Test("a regular file is not read to its end when the relay is asked to end") func file() async throws {
        try await withTemporaryFolder { folder in
            try writeText(numbered(1_000_000).map { $0 + "\n" }.joined(), to: folder + "/lines")
            let descriptor = open(folder + "/lines", O_RDONLY | O_CLOEXEC)
            defer { close(descriptor) }
            let stopped = try RelayControl()
            stopped.stop()
            let relay = StdinRelay(input: descriptor) { () throws(LogTransportError) in
                try SocketOutlet(bindingTo: .anyPort)
            }
            let report = try await RunningRelay(relay, under: stopped).report()
            #expect(report.linesIn == 0)
        }
    }
}
