import Glibc
import LogTransport
import TestServers
import Testing

@Suite struct EndOfInputTests {
    @Test("all lines arrive in order, and the end of the input ends the relay") func order() async throws {
        let stand = try RelayStand()
        let peer = try Peer(connectingTo: try await stand.endpoint())
        let lines = numbered(100_000)
        let text = lines.map { $0 + "\n" }.joined()
        await stand.write(text + "unterminated")
        stand.input.closeWriter()
        let report = try await stand.running.report()
        try await eventually { peer.received.count == lines.count + 1 }
        #expect(peer.received == lines + ["unterminated"])
        #expect(report.linesIn == UInt64(lines.count + 1))
        #expect(report.linesOut == UInt64(lines.count + 1))
        #expect(report.bytesIn == UInt64(text.utf8.count + 12))
        #expect(report.waiting == 0)
        await peer.stop()
    }

    @Test("an empty input ends the relay at once") func empty() async throws {
        let stand = try RelayStand()
        stand.input.closeWriter()
        var report = try await stand.running.report()
        report.duration = .zero
        #expect(report == RelayReport())
    }

    @Test("an input that is closed is an empty one") func closed() async throws {
        let relay = StdinRelay(input: 1_000_000) { () throws(LogTransportError) in
            try SocketOutlet(bindingTo: .anyPort)
        }
        #expect(try await RunningRelay(relay).report().linesIn == 0)
    }

    @Test("an outlet without room that moves on is waited for beyond the linger") func progress() async throws {
        var options = RelayOptions()
        options.linger = .milliseconds(20)
        let input = try InputPipe()
        input.write("line\n")
        input.closeWriter()
        let relay = StdinRelay(options: options, input: input.reader) { () throws(LogTransportError) in
            SlowOutlet(until: .now + .milliseconds(200))
        }
        let report = try await RunningRelay(relay).report()
        #expect(report.linesOut == 1 && report.waiting == 0)
    }

    @Test("lines are cut, wrapped and counted") func forms() async throws {
        var options = RelayOptions()
        options.maximumLine = 4
        var form = LineForm()
        form.envelope = LineForm.Envelope(type: "t", processID: 7)
        let stand = try RelayStand(options: options, form: form)
        let peer = try Peer(connectingTo: try await stand.endpoint())
        await stand.write("abcdefgh\n\n ab\n")
        stand.input.closeWriter()
        let report = try await stand.running.report()
        try await eventually { peer.received.count == 3 }
        #expect(peer.received == ["abcd", "", " ab"].map { #"{"message":"\#($0)","type":"t","@pid":7}"# })
        #expect(report.linesCut == 1)
        await peer.stop()
    }

    @Test("an outlet that cannot be made is an error, and nothing is read") func noOutlet() async throws {
        let input = try InputPipe()
        input.write("line\n")
        let relay = StdinRelay(input: input.reader) { () throws(LogTransportError) in
            throw LogTransportError(.unavailable, "no way out")
        }
        let running = try RunningRelay(relay)
        let error = await #expect(throws: LogTransportError.self) { try await running.report() }
        #expect(error?.message == "no way out")
        var byte: UInt8 = 0
        #expect(read(input.reader, &byte, 1) == 1)
    }

    @Test("options that cannot work together are refused") func options() async throws {
        var options = RelayOptions()
        options.confirms = true
        options.whenFull = .dropNewest
        try await expectRefused(options)
        options = RelayOptions()
        options.maximumLine = 0
        try await expectRefused(options)
        options = RelayOptions()
        options.linger = .seconds(-1)
        try await expectRefused(options)
        options = RelayOptions()
        options.whenFull = .dropOldest
        options.queueLimit = 100
        try await expectRefused(options)
    }

    private func expectRefused(_ options: RelayOptions) async throws {
        let relay = StdinRelay(options: options) { () throws(LogTransportError) in
            try SocketOutlet(bindingTo: .anyPort)
        }
        let running = try RunningRelay(relay)
        let error = await #expect(throws: LogTransportError.self) { try await running.report() }
        #expect(error?.code == .invalidArgument)
    }
}

/// An outlet that has no room for a time, and moves on meanwhile.
private final class SlowOutlet: Outlet {
    private let time: ContinuousClock.Instant
    private(set) var progress: UInt64 = 0
    private(set) var acknowledged: UInt64 = 0

    init(until time: ContinuousClock.Instant) { self.time = time }

    func offer(_ line: UnsafeRawBufferPointer, number: UInt64) -> Bool {
        progress += 1
        guard .now >= time else { return false }
        acknowledged = number
        return true
    }

    func flush() {}
    func advance() {}
    func waits(forRoom: Bool) -> [Wait] { [] }
    var nextDeadline: ContinuousClock.Instant? { acknowledged == 0 ? .now + .milliseconds(5) : nil }
    var counts: OutletCounts { OutletCounts() }
    func finish(until deadline: ContinuousClock.Instant, end: Int32) -> UInt64 { 0 }
}
