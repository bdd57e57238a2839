import Glibc
import TestServers
import Testing

extension EndToEnd {
    /// What rsyslog's confirmMessages makes sure of.
    @Suite("zmqpush and hayrack with --confirm under rsyslog", .timeLimit(.minutes(3)))
    struct RsyslogTests {
        @Test(
            "no line is lost when the tool is killed in mid-stream again and again",
            arguments: SyslogStand.Tool.allCases)
        func killedProgram(tool: SyslogStand.Tool) async throws {
            try await SyslogStand.run(.rsyslog, tool) { stand in
                let peer = try #require(stand.peer)
                for round in 0..<3 {
                    // While it holds lines that nobody has taken, and rsyslogd has more of them.
                    peer.signal(SIGSTOP)
                    let first = round * 5000
                    try await stand.log(first..<first + 5000)
                    try await stand.untilSpooled(first + 500)
                    try await stand.killProgram(of: .rsyslog)
                    peer.signal(SIGCONT)
                }
                let came = try await peer.numbersWithoutRepeats(15_000)
                #expect(came == Array(0..<15_000))
            }
        }

        @Test(
            "hayrack loses no line when its receiver is killed in mid-stream: the next one gets what that had not written"
        )
        func killedReceiver() async throws {
            try await SyslogStand.run(.rsyslog, .hayrack) { stand in
                let peer = try #require(stand.peer)
                let writer = Task { try? await stand.log(0..<10_000) }
                try await peer.wait(for: 500)
                await peer.stop()
                let before = try peer.numbers()
                await writer.value
                try await stand.withLatePeer { next in
                    try await eventually(within: .seconds(40), "the rest") {
                        Set(before + (try next.numbers())) == Set(0..<10_000)
                    }
                    let came = Set(try next.numbers()).sorted()
                    #expect(came == Array((came.first ?? 0)..<10_000))
                }
            }
        }

        @Test("a killed rsyslogd leaves no gap in what zmqpush took from it, and the next one goes on")
        func killedDaemon() async throws {
            try await SyslogStand.run(.rsyslog, .zmqpush) { stand in
                let peer = try #require(stand.peer)
                let writer = Task { try? await stand.log(0..<15_000) }
                try await peer.wait(for: 500)
                await stand.daemon.kill()
                await writer.value
                try await stand.daemon.start()
                try await stand.log(1_000_000..<1_001_000)
                try await eventually(within: .seconds(30), "the last line") {
                    try peer.numbers().last == 1_000_999
                }
                let came = try peer.numbers()
                let before = withoutRepeats(came.filter { $0 < 1_000_000 })
                #expect(before == Array(0..<before.count))
                #expect(withoutRepeats(came.filter { $0 >= 1_000_000 }) == Array(1_000_000..<1_001_000))
            }
        }
    }
}
