import TestServers
import Testing

extension EndToEnd {
    @Suite("zmqpush and hayrack under a syslog daemon", .timeLimit(.minutes(4)))
    struct SyslogTests {
        @Test(
            "all of HAProxy's lines come, in their order, and nobody else's", arguments: SyslogStand.Kind.allCases,
            SyslogStand.Tool.allCases)
        func lines(kind: SyslogStand.Kind, tool: SyslogStand.Tool) async throws {
            try await SyslogStand.run(kind, tool) { stand in
                let peer = try #require(stand.peer)
                try await logToSyslog(at: stand.daemon.socket, from: "sshd", ["line 0", "line 1"])
                try await stand.log(0..<5000)
                try await peer.wait(for: 5000)
                #expect(try peer.numbers() == Array(0..<5000))
                await stand.daemon.stop()
                #expect(peer.messages.count == 5000)
            }
        }

        @Test(
            "without a receiver, lines wait in the spool over a restart", arguments: SyslogStand.Kind.allCases,
            SyslogStand.Tool.allCases)
        func restart(kind: SyslogStand.Kind, tool: SyslogStand.Tool) async throws {
            try await SyslogStand.run(kind, tool, withPeer: false) { stand in
                try await stand.log(0..<2000)
                try await stand.untilSpooled(500)
                await stand.daemon.stop()
                try await stand.daemon.start()
                try await stand.log(2000..<4000)
                try await stand.withLatePeer { peer in
                    let came = try await peer.numbersWithoutRepeats(4000)
                    #expect(came == Array(0..<4000))
                }
            }
        }

        @Test(
            "a killed tool is started again, and what was in its spool comes first",
            arguments: SyslogStand.Kind.allCases, SyslogStand.Tool.allCases)
        func killedProgram(kind: SyslogStand.Kind, tool: SyslogStand.Tool) async throws {
            try await SyslogStand.run(kind, tool, withPeer: false) { stand in
                try await stand.log(0..<1000)
                try await stand.untilSpooled(999)
                try await stand.killProgram(of: kind)
                try await stand.log(1000..<2000)
                try await stand.withLatePeer { peer in
                    let came = try await peer.numbersWithoutRepeats(2000)
                    #expect(came == Array(0..<2000))
                }
            }
        }
    }
}
