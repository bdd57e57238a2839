import DedicatedThread
import Glibc
import Synchronization

/// A real syslog daemon, which takes lines over a Unix stream socket.
public final class SyslogDaemon: Sendable {
    /// The socket for ``logToSyslog(at:from:_:)``.
    public let socket: String
    private let folder: String
    private let command: [String]
    private let environment: [String: String]
    private let state = Mutex<(child: ChildProcess?, programs: Set<Int32>)>((nil, []))

    /// Starts a daemon and waits until it takes lines.
    ///
    /// - Parameters:
    ///   - command: The daemon and its arguments.
    ///   - environment: Variables to add to this process's own.
    ///   - socket: Where it takes lines.
    ///   - folder: Where it may write.
    /// - Throws: ``TestServerError`` when it cannot be started.
    init(_ command: [String], environment: [String: String] = [:], socket: String, in folder: String) async throws {
        self.command = command
        self.environment = environment
        self.socket = socket
        self.folder = folder
        try await start()
    }

    /// Starts it again after ``stop()`` or ``kill()``.
    public func start() async throws {
        unlink(socket)
        let started = try await ChildProcess.start(
            command[0], Array(command.dropFirst()), environment: environment, in: folder)
        state.withLock { $0.child = started }
        try await eventually("\(command[0]); its output: \(started.output)") {
            guard started.isRunning else { throw TestServerError("\(command[0]) ended: \(started.output)") }
            // The file is there a moment before anybody listens.
            return isConnectable(socket)
        }
    }

    /// Ends it in good order; the programs that it started may go on.
    public func stop() async {
        _ = programs
        await state.withLock { $0.child }?.stop(within: .seconds(20))
    }

    /// Kills it; the programs that it started may go on.
    public func kill() async {
        _ = programs
        await state.withLock { $0.child }?.kill()
    }

    /// What it wrote to its standard error.
    public var output: String { state.withLock { $0.child }?.output ?? "" }

    /// The programs that it started and that run now, such as that of omprog or program().
    public var programs: [Int32] {
        state.withLock { state in
            guard let child = state.child, child.isRunning else { return [] }
            let running = childProcesses(of: child.pid).filter(isRunning)
            state.programs.formUnion(running)
            return running
        }
    }

    /// Ends it and the programs that it started, and waits until all are gone.
    public func end() async {
        await stop()
        let programs = state.withLock { $0.programs }
        if (try? await eventually(within: .seconds(5), "the end", { !programs.contains(where: isRunning) })) != nil {
            return
        }
        for program in programs where isRunning(program) { _ = Glibc.kill(program, SIGKILL) }
        _ = try? await eventually("the end", { !programs.contains(where: isRunning) })
    }
}

/// Writes lines to the Unix stream socket of a syslog daemon, which takes them at its own speed.
///
/// - Parameters:
///   - path: The socket.
///   - program: Who logs.
///   - messages: Messages without a line feed; each becomes a line of the facility local0, as `/dev/log` gets it.
/// - Throws: ``TestServerError`` when the daemon does not take all.
public func logToSyslog(at path: String, from program: String = "haproxy", _ messages: [String]) async throws {
    let text = messages.map { "<134>Nov 21 12:00:00 \(program)[77]: \($0)\n" }.joined()
    let thread = DedicatedThread(name: "syslog-client")
    try await thread.run { () throws(TestServerError) in
        let (descriptor, status) = connectedSocket(path)
        defer { close(descriptor) }
        guard status == 0 else { throw TestServerError("cannot log to \(path): \(String(cString: strerror(errno)))") }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw TestServerError("\(path) takes no more: \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }
}

/// A stream socket that was to be connected to a path, and what connect(2) said.
private func connectedSocket(_ path: String) -> (descriptor: Int32, status: Int32) {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
    let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    return (descriptor, status)
}

private func isConnectable(_ path: String) -> Bool {
    let (descriptor, status) = connectedSocket(path)
    close(descriptor)
    return status == 0
}
