import Glibc

/// The side of the handshake that waits.
struct Launcher {
    static let readyMark = UInt8(ascii: "R")

    private let pid: pid_t
    private let handshake: HandshakePipes
    /// Whether the daemon has printed anything, and whether its line is open.
    private var hasSpoken = false
    private var lastByte = UInt8(ascii: "\n")

    init(pid: pid_t, handshake: HandshakePipes) {
        self.pid = pid
        self.handshake = handshake
    }

    /// Passes the daemon's words on until it is ready, ends, or takes too long.
    mutating func wait(within limit: Duration) throws(DaemonError) -> Int32 {
        let clock = ContinuousClock()
        let end = clock.now + limit
        var watched = [
            pollfd(fd: handshake.ready.readEnd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: handshake.words.readEnd, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let left = (end - clock.now).components
            let milliseconds = Int32(clamping: left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1)
            guard clock.now < end, poll(&watched, 2, milliseconds) != 0 else { throw takesTooLong(limit) }
            relayWords()
            // All of its writers are gone: without this, the poll would return at once for ever.
            if watched[1].revents & Int16(POLLHUP) != 0 { watched[1].fd = -1 }
            guard watched[0].revents != 0 else { continue }
            var mark: UInt8 = 0
            let count = read(handshake.ready.readEnd, &mark, 1)
            if count == 1, mark == Self.readyMark {
                relayWords()
                return pid
            }
            if count == 0 { throw endedEarly() }
        }
    }

    /// Writes what the daemon has printed so far to this process's standard error.
    private mutating func relayWords() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(handshake.words.readEnd, &buffer, buffer.count), count > 0 {
            StandardErrorLog().write(Array(buffer[..<count]))
            hasSpoken = true
            lastByte = buffer[count - 1]
        }
    }

    private mutating func takesTooLong(_ limit: Duration) -> DaemonError {
        kill(pid, SIGTERM)
        if !isGone(within: .seconds(2)) {
            kill(pid, SIGKILL)
            _ = isGone(within: .seconds(2))
        }
        relayWords()
        endLine()
        return DaemonError(.deadline, "the daemon was not ready within \(limit), and was ended")
    }

    private mutating func endedEarly() -> DaemonError {
        var status: Int32 = 0
        _ = retrying { Int(waitpid(pid, &status, 0)) }
        relayWords()
        endLine()
        let signal = status & 0x7f
        guard signal == 0 else {
            let name = strsignal(signal).map { String(cString: $0) } ?? "unknown"
            return DaemonError(.endedEarly, "the daemon ended before it was ready: signal \(signal), \(name)")
        }
        let code = (status >> 8) & 0xff
        // A daemon that exits with a code has said why; one that said nothing, or exits with 0, is a surprise.
        let message = hasSpoken && code != 0 ? "" : "the daemon ended before it was ready: exit code \(code)"
        return DaemonError(.endedEarly, message, exitCode: code == 0 ? nil : code)
    }

    private mutating func endLine() {
        if lastByte != UInt8(ascii: "\n") { StandardErrorLog().write([UInt8(ascii: "\n")]) }
        lastByte = UInt8(ascii: "\n")
    }

    /// Waits for the end of the daemon, which the end of the pipe shows.
    private func isGone(within limit: Duration) -> Bool {
        var watched = pollfd(fd: handshake.ready.readEnd, events: Int16(POLLIN), revents: 0)
        guard poll(&watched, 1, Int32(limit.components.seconds * 1000)) == 1 else { return false }
        var status: Int32 = 0
        return retrying { Int(waitpid(pid, &status, 0)) } == Int(pid)
    }
}
