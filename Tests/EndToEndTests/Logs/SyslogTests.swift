import TestServers
import Testing

extension EndToEnd {
    @Suite("zmqpush under a syslog daemon", .timeLimit(.minutes(2)))
    struct SyslogTests {
        @Test("all of HAProxy's lines come, in their order, and nobody else's", arguments: SyslogStand.Kind.allCases)
        func lines(kind: SyslogStand.Kind) async throws {
            try await SyslogStand.run(kind) { stand in
                let peer = try #require(stand.peer)
                try await logToSyslog(at: stand.daemon.socket, from: "sshd", ["line 0", "line 1"])
                try await stand.log(0..<5000)
                let came = try numbers(in: await peer.messages(5000))
                #expect(came == Array(0..<5000))
                await stand.daemon.stop()
                #expect(peer.messages.count == 5000)
            }
        }

        @Test("without a receiver, lines wait in the spool over a restart", arguments: SyslogStand.Kind.allCases)
        func restart(kind: SyslogStand.Kind) async throws {
            try await SyslogStand.run(kind, withPeer: false) { stand in
                try await stand.log(0..<2000)
                try await stand.untilSpooled(500)
                await stand.daemon.stop()
                try await stand.daemon.start()
                try await stand.log(2000..<4000)
                try await stand.withLatePeer { peer in
                    let came = try await numbersWithoutRepeats(4000, at: peer)
                    #expect(came == Array(0..<4000))
                }
            }
        }

        @Test(
            "a killed zmqpush is started again, and what was in its spool comes first",
            arguments: SyslogStand.Kind.allCases)
        func killedProgram(kind: SyslogStand.Kind) async throws {
            try await SyslogStand.run(kind, withPeer: false) { stand in
                try await stand.log(0..<1000)
                try await stand.untilSpooled(999)
                try await stand.killProgram()
                try await stand.log(1000..<2000)
                try await stand.withLatePeer { peer in
                    let came = try await numbersWithoutRepeats(2000, at: peer)
                    #expect(came == Array(0..<2000))
                }
            }
        }
    }
}
