import LogTransport
import TestServers
import Testing

@Suite struct DropTests {
    /// A relay without a peer has room for so many bytes.
    private func options(_ whenFull: RelayOptions.WhenFull) -> RelayOptions {
        var options = RelayOptions()
        options.whenFull = whenFull
        options.maximumLine = 200
        options.queueLimit = 16_384
        return options
    }

    @Test("the oldest lines make room, and a note in front says how many are missing") func oldest() async throws {
        let stand = try RelayStand(options: options(.dropOldest))
        let endpoint = try await stand.endpoint()
        let lines = numbered(10_000)
        await stand.write(lines.map { $0 + "\n" }.joined())
        try await eventually { stand.running.relay.report.linesIn == 10_000 }
        let peer = try Peer(connectingTo: endpoint)
        stand.input.closeWriter()
        let report = try await stand.running.report()
        let dropped = Int(report.droppedOldest)
        #expect(dropped > 9000 && dropped < 10_000)
        #expect(report.droppedNewest == 0)
        #expect(report.linesOut == UInt64(10_000 - dropped))
        #expect(report.waiting == 0)
        try await eventually { peer.received.last == lines.last }
        #expect(peer.received == [note(dropped)] + lines.dropFirst(dropped))
        await peer.stop()
    }

    @Test("new lines are dropped, and a note behind says how many are missing") func newest() async throws {
        let stand = try RelayStand(options: options(.dropNewest))
        let endpoint = try await stand.endpoint()
        let lines = numbered(10_000)
        await stand.write(lines.map { $0 + "\n" }.joined())
        try await eventually { stand.running.relay.report.linesIn == 10_000 }
        let peer = try Peer(connectingTo: endpoint)
        let dropped = Int(stand.running.relay.report.droppedNewest)
        let kept = lines.count - dropped
        #expect(dropped > 9000 && kept > 0)
        try await eventually { peer.received.count == kept + 1 }
        await stand.write("after\n")
        stand.input.closeWriter()
        let report = try await stand.running.report()
        #expect(report.droppedNewest == UInt64(dropped))
        #expect(report.droppedOldest == 0)
        #expect(report.linesOut == UInt64(kept + 1))
        try await eventually { peer.received.last == "after" }
        #expect(peer.received == lines.prefix(kept) + [note(dropped), "after"])
        await peer.stop()
    }

    @Test("an object larger than the queue is dropped, and pushes nothing else out") func huge() async throws {
        var options = options(.dropOldest)
        options.maximumLine = 100_000
        options.queueLimit = 100_000
        var form = LineForm()
        form.envelope = LineForm.Envelope(type: "t", processID: 7)
        let stand = try RelayStand(options: options, form: form)
        let endpoint = try await stand.endpoint()
        await stand.write("before\n" + String(repeating: "\u{1}", count: 100_000) + "\nbehind\n")
        try await eventually { stand.running.relay.report.linesIn == 3 }
        let peer = try Peer(connectingTo: endpoint)
        stand.input.closeWriter()
        #expect(try await stand.running.report().droppedNewest == 1)
        let texts = ["before", note(1), "behind"]
        try await eventually { peer.received.count == 3 }
        #expect(peer.received == texts.map { #"{"message":"\#($0)","type":"t","@pid":7}"# })
        await peer.stop()
    }

    @Test("what is still in the queue at the end of the linger is counted as left") func left() async throws {
        var options = options(.dropNewest)
        options.linger = .milliseconds(20)
        let stand = try RelayStand(options: options)
        await stand.write(numbered(10_000).map { $0 + "\n" }.joined())
        stand.input.closeWriter()
        let report = try await stand.running.report()
        #expect(report.linesIn == 10_000)
        #expect(report.linesOut == 0)
        #expect(report.waiting > 0)
        #expect(report.waiting + report.droppedNewest == 10_000)
    }

    @Test("notes have the envelope and the newline of lines") func form() async throws {
        var form = LineForm()
        form.envelope = LineForm.Envelope(type: "t", processID: 7)
        let stand = try RelayStand(options: options(.dropOldest), form: form)
        let endpoint = try await stand.endpoint()
        await stand.write(numbered(1000).map { $0 + "\n" }.joined())
        try await eventually { stand.running.relay.report.linesIn == 1000 }
        let peer = try Peer(connectingTo: endpoint)
        stand.input.closeWriter()
        let report = try await stand.running.report()
        try await eventually { !peer.received.isEmpty }
        let text = note(Int(report.droppedOldest))
        #expect(peer.received.first == #"{"message":"\#(text)","type":"t","@pid":7}"#)
        await peer.stop()
    }

    @Test("with a peer that takes lines nothing is dropped") func room() async throws {
        let stand = try RelayStand(options: options(.dropNewest), highWaterMark: 100_000)
        let peer = try Peer(connectingTo: try await stand.endpoint(), highWaterMark: 100_000)
        await stand.write("first\n")
        try await eventually { peer.received == ["first"] }
        let lines = numbered(10_000)
        await stand.write(lines.map { $0 + "\n" }.joined())
        stand.input.closeWriter()
        let report = try await stand.running.report()
        #expect(report.dropped == 0)
        try await eventually { peer.received == ["first"] + lines }
        await peer.stop()
    }

    private func note(_ count: Int) -> String { DropNote(count: UInt64(count), reason: .noRoom).text }
}
