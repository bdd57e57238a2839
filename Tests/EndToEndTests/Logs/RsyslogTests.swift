import Glibc
import TestServers
import Testing

extension EndToEnd {
    /// What rsyslog's confirmMessages makes sure of.
    @Suite("zmqpush --confirm under rsyslog", .timeLimit(.minutes(2)))
    struct RsyslogTests {
        @Test("no line is lost when zmqpush is killed in mid-stream again and again")
        func killedProgram() async throws {
            try await SyslogStand.run(.rsyslog) { stand in
                let peer = try #require(stand.peer)
                for round in 0..<3 {
                    // While it holds lines that nobody has taken, and rsyslogd has more of them.
                    peer.signal(SIGSTOP)
                    let first = round * 5000
                    try await stand.log(first..<first + 5000)
                    try await stand.untilSpooled(first + 500)
                    try await stand.killProgram()
                    peer.signal(SIGCONT)
                }
                let came = try await numbersWithoutRepeats(15_000, at: peer)
                #expect(came == Array(0..<15_000))
            }
        }

        @Test("a killed rsyslogd leaves no gap in what zmqpush took from it, and the next one goes on")
        func killedDaemon() async throws {
            try await SyslogStand.run(.rsyslog) { stand in
                let peer = try #require(stand.peer)
                let writer = Task { try? await stand.log(0..<15_000) }
                _ = try await peer.messages(500)
                await stand.daemon.kill()
                await writer.value
                try await stand.daemon.start()
                try await stand.log(1_000_000..<1_001_000)
                try await eventually(within: .seconds(30), "the last line") {
                    try numbers(in: peer.messages.suffix(1)) == [1_000_999]
                }
                let came = try numbers(in: peer.messages)
                let before = withoutRepeats(came.filter { $0 < 1_000_000 })
                #expect(before == Array(0..<before.count))
                #expect(withoutRepeats(came.filter { $0 >= 1_000_000 }) == Array(1_000_000..<1_001_000))
            }
        }
    }
}
