import Glibc
import JSON
import TestServers

/// A syslog daemon with its file of `etc/` as it is, and what that file names: `/usr/bin/zmqpush`, its spool, a receiver.
struct SyslogStand {
    /// The daemons.
    enum Kind: String, CaseIterable {
        case rsyslog = "rsyslog"
        case syslogNG = "syslog-ng"
    }

    private static let endpoint = "tcp://127.0.0.1:5014"
    private static let program = "/usr/bin/zmqpush"
    private static let spool = "/var/spool/zmqpush"

    let daemon: SyslogDaemon
    /// A receiver, when one was started.
    let peer: PythonPeer?
    private let folder: String

    /// Runs a test with the built zmqpush at its place and an empty spool; all of it is ended and removed afterwards.
    static func run(
        _ kind: Kind, withPeer: Bool = true, _ body: (SyslogStand) async throws -> Void
    ) async throws {
        try await withExclusiveMachine(saving: [program, spool]) {
            _ = try await TestServers.run("rm", ["-rf", program, spool])
            guard symlink(Repository.executable("zmqpush"), program) == 0 else {
                throw TestServerError("cannot make \(program): \(String(cString: strerror(errno)))")
            }
            try await withTemporaryFolder { folder in
                let peer = withPeer ? try await PythonPeer.pull(.bind, endpoint, in: folder) : nil
                let daemon =
                    switch kind {
                    case .rsyslog:
                        try await SyslogDaemon.rsyslog(
                            in: folder, configuration: Repository.file("etc/rsyslog.d/zmqpush.conf"))
                    case .syslogNG:
                        try await SyslogDaemon.syslogNG(
                            in: folder, configuration: Repository.file("etc/syslog-ng/zmqpush.conf"))
                    }
                let result: Result<Void, any Error>
                do {
                    result = .success(try await body(SyslogStand(daemon: daemon, peer: peer, folder: folder)))
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
    func withLatePeer(_ body: (PythonPeer) async throws -> Void) async throws {
        let peer = try await PythonPeer.pull(.bind, Self.endpoint, in: folder)
        let result: Result<Void, any Error>
        do { result = .success(try await body(peer)) } catch { result = .failure(error) }
        await peer.stop()
        try result.get()
    }

    /// Logs lines with the numbers of a range.
    func log(_ range: Range<Int>) async throws {
        try await logToSyslog(at: daemon.socket, range.map { "line \($0)" })
    }

    /// Waits until a line is in the files of the spool.
    func untilSpooled(_ number: Int) async throws {
        try await eventually("line \(number) in the spool") {
            try await TestServers.run("grep", ["-rqaE", "line \(number)([^0-9]|$)", Self.spool]).exitCode == 0
        }
    }

    /// Kills zmqpush; the daemon starts another one, rsyslog when it has a line for it.
    func killProgram() async throws {
        guard let pid = daemon.programs.first else { throw TestServerError("there is no zmqpush: \(daemon.output)") }
        Glibc.kill(pid, SIGKILL)
        try await eventually("the end of zmqpush") { !daemon.programs.contains(pid) }
    }
}

/// The numbers of the lines in zmqpush's objects, which must have come from HAProxy through a syslog daemon.
func numbers(in objects: some Sequence<String>) throws -> [Int] {
    try objects.map { text in
        let object = try JSONValue(parsing: Array(text.utf8))
        guard object["type"]?.string == "syslog", let message = object["message"]?.string,
            message.hasPrefix("<134>1 "), message.contains(" haproxy 77 - "),
            let number = message.split(separator: " ").last.flatMap({ Int($0) })
        else { throw TestServerError("this is no such line: \(text)") }
        return number
    }
}

/// The numbers without repeats of what came before.
func withoutRepeats(_ numbers: [Int]) -> [Int] {
    var seen: Set<Int> = []
    return numbers.filter { seen.insert($0).inserted }
}

/// Waits until lines with so many numbers have come, some perhaps twice; gives the numbers in the order of their first.
func numbersWithoutRepeats(_ count: Int, at peer: PythonPeer) async throws -> [Int] {
    var came: [Int] = []
    try await eventually(within: .seconds(40), "\(count) lines; there are \(peer.messages.count)") {
        guard peer.messages.count >= count else { return false }
        came = withoutRepeats(try numbers(in: peer.messages))
        return came.count >= count
    }
    return came
}
