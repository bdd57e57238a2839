import Glibc
import LogTransport
import Synchronization
import TestServers
import Testing
import ZeroMQ

/// Each in a process of its own: signals are a process's, not a thread's.
@Suite struct SignalTests {
    @Test("SIGTERM with lines in the pipe hands them on, and the process ends in order")
    func terminate() async {
        await #expect(processExitsWith: .success) {
            let input = try InputPipe()
            let lines = numbered(3000)
            input.write(lines.map { $0 + "\n" }.joined())
            let endpoint = FirstEndpoint()
            let relay = StdinRelay(input: input.reader) { () throws(LogTransportError) in
                kill(getpid(), SIGTERM)
                return try SocketOutlet(bindingTo: .anyPort) { endpoint.set($0.description) }
            }
            async let report = run(relay)
            let peer = try Peer(connectingTo: try await endpoint.value())
            let done = try await report
            try await eventually { peer.received == lines }
            await peer.stop()
            try require(done.waiting == 0)
        }
    }

    @Test("a second signal ends the relay at once") func second() async {
        await #expect(processExitsWith: .success) {
            let input = try InputPipe()
            input.write("a\nb\n")
            let endpoint = FirstEndpoint()
            let relay = StdinRelay(input: input.reader) { () throws(LogTransportError) in
                try SocketOutlet(bindingTo: .anyPort) { endpoint.set($0.description) }
            }
            async let report = run(relay)
            _ = try await endpoint.value()
            // The signals are told apart: pending ones of a kind are only one.
            kill(getpid(), SIGTERM)
            kill(getpid(), SIGINT)
            try require(try await report.waiting == 2)
        }
    }

    @Test("signals do again what they did when the relay has ended") func restored() async {
        await #expect(processExitsWith: .signal(SIGTERM)) {
            let input = try InputPipe()
            input.closeWriter()
            signal(SIGINT, SIG_IGN)
            let relay = StdinRelay(input: input.reader) { () throws(LogTransportError) in
                try SocketOutlet(bindingTo: .anyPort)
            }
            _ = try await run(relay)
            kill(getpid(), SIGINT)
            kill(getpid(), SIGTERM)
        }
    }

    @Test("a trap does what it is asked about each signal, on its own thread") func trap() async {
        await #expect(processExitsWith: .success) {
            let seen = Mutex<[Int32]>([])
            let trap = try SignalTrap([SIGHUP, SIGUSR1, SIGTERM]) { signal in seen.withLock { $0.append(signal) } }
            for (index, signal) in [SIGHUP, SIGUSR1, SIGTERM, SIGHUP].enumerated() {
                kill(getpid(), signal)
                try await eventually { seen.withLock { $0.count } == index + 1 }
            }
            try require(seen.withLock { $0 } == [SIGHUP, SIGUSR1, SIGTERM, SIGHUP])
            var refusal: LogTransportError.Code?
            do throws(LogTransportError) { _ = try SignalTrap([SIGHUP]) { _ in } } catch { refusal = error.code }
            try require(refusal == .unavailable)
            trap.release()
            let next = try SignalTrap([SIGHUP]) { signal in seen.withLock { $0.append(-signal) } }
            kill(getpid(), SIGHUP)
            try await eventually { seen.withLock { $0.last } == -SIGHUP }
            next.release()
        }
    }
}

/// Runs a relay with its own signals, where it may block.
private func run(_ relay: StdinRelay) async throws -> RelayReport {
    try await blocking { () throws(LogTransportError) in try relay.run() }
}

private func require(_ condition: Bool) throws {
    guard condition else { throw TestServerError("not what was expected") }
}
