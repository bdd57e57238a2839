import Glibc
import TestServers

/// A syslog daemon with a log tool's file of `etc/` as it is, and what that file names: the tool in `/usr/bin`, its spool,
/// a receiver.
struct SyslogStand {
    /// The daemons.
    enum Kind: String, CaseIterable {
        case rsyslog = "rsyslog"
        case syslogNG = "syslog-ng"
    }

    /// The programs that they run.
    enum Tool: String, CaseIterable {
        case zmqpush, hayrack

        /// Where lines are to be received; zmqpush connects there, hayrack binds.
        var endpoint: String {
            switch self {
            case .zmqpush: "tcp://127.0.0.1:5014"
            case .hayrack: "tcp://127.0.0.1:5000"
            }
        }

        fileprivate var program: String { "/usr/bin/\(rawValue)" }
        fileprivate var spool: String { "/var/spool/\(rawValue)" }
    }

    let daemon: SyslogDaemon
    /// A receiver, when one was started.
    let peer: SyslogReceiver?
    private let tool: Tool
    private let folder: String

    /// Runs a test with the built tool at its place and an empty spool; all of it is ended and removed afterwards.
    static func run(
        _ kind: Kind, _ tool: Tool, withPeer: Bool = true, _ body: (SyslogStand) async throws -> Void
    ) async throws {
        try await withExclusiveMachine(saving: [tool.program, tool.spool]) {
            _ = try await TestServers.run("rm", ["-rf", tool.program, tool.spool])
            guard symlink(Repository.executable(tool.rawValue), tool.program) == 0 else {
                throw TestServerError("cannot make \(tool.program): \(String(cString: strerror(errno)))")
            }
            try await withTemporaryFolder { folder in
                let peer = withPeer ? try await SyslogReceiver.start(for: tool, in: folder) : nil
                let daemon =
                    switch kind {
                    case .rsyslog:
                        try await SyslogDaemon.rsyslog(
                            in: folder, configuration: Repository.file("etc/rsyslog.d/\(tool.rawValue).conf"))
                    case .syslogNG:
                        try await SyslogDaemon.syslogNG(
                            in: folder, configuration: Repository.file("etc/syslog-ng/\(tool.rawValue).conf"))
                    }
                let result: Result<Void, any Error>
                do {
                    let stand = SyslogStand(daemon: daemon, peer: peer, tool: tool, folder: folder)
                    result = .success(try await body(stand))
                } catch {
                    result = .failure(error)
                }
                await daemon.end()
                await peer?.stop()
                try result.get()
            }
        }
    }

    /// Runs a receiver at the endpoint of the file while `body` runs.
    func withLatePeer(_ body: (SyslogReceiver) async throws -> Void) async throws {
        let peer = try await SyslogReceiver.start(for: tool, in: folder)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(peer))
        } catch {
            result = .failure(
                TestServerError("\(error); \(tool) runs as \(daemon.programs); the daemon says: \(daemon.output)"))
        }
        await peer.stop()
        try result.get()
    }

    /// Logs lines with the numbers of a range.
    func log(_ range: Range<Int>) async throws {
        try await logToSyslog(at: daemon.socket, range.map { "line \($0)" })
    }

    /// Waits until a line is in the files of the spool, where any byte may follow it.
    ///
    /// - Parameter number: None that the number of another logged line begins with.
    /// - Throws: ``TestServerError`` when it is not there in time.
    func untilSpooled(_ number: Int) async throws {
        try await eventually("line \(number) in the spool") {
            try await TestServers.run("grep", ["-rqaF", "line \(number)", tool.spool]).exitCode == 0
        }
    }

    /// Kills the tool; the daemon starts another one, rsyslog when it has a line for it.
    ///
    /// syslog-ng starts it at once, and loses what it writes to one that has just died: it is waited for.
    func killProgram(of kind: Kind) async throws {
        guard let pid = daemon.programs.first else { throw TestServerError("no \(tool) runs: \(daemon.output)") }
        Glibc.kill(pid, SIGKILL)
        try await eventually("the end of \(tool)") { !daemon.programs.contains(pid) }
        if kind == .syslogNG { try await eventually("another \(tool)") { !daemon.programs.isEmpty } }
    }
}
