import Glibc
import TestServers
import ZeroMQ

/// A receiver in a process of its own, which can be killed, stopped and started again.
struct ReceiverProcess {
    enum Role: String { case connect, bind }

    let role: Role
    let endpoint: Endpoint
    let folder: String
    private let name: String
    private var generation = 0
    private var process: ChildProcess
    private(set) var isStopped = false

    init(_ role: Role, _ endpoint: Endpoint, name: String, in folder: String) async throws {
        (self.role, self.endpoint, self.name, self.folder) = (role, endpoint, name, folder)
        process = try await Self.start(role, endpoint, to: "\(folder)/\(name)-0", in: folder)
    }

    private static func start(
        _ role: Role, _ endpoint: Endpoint, to file: String, in folder: String
    ) async throws -> ChildProcess {
        try await ChildProcess.start(
            Repository.executable("reliable-probe"), [role.rawValue, endpoint.description, file, "2"], in: folder)
    }

    /// Kills the process, stopped or not, and starts another.
    mutating func restart() async throws {
        await process.kill()
        generation += 1
        isStopped = false
        process = try await Self.start(role, endpoint, to: "\(folder)/\(name)-\(generation)", in: folder)
    }

    mutating func toggleStopped() {
        process.signal(isStopped ? SIGCONT : SIGSTOP)
        isStopped.toggle()
    }

    func end() async { await process.kill() }

    /// What each of the processes wrote.
    var outputs: [String] { (0...generation).map { readText("\(folder)/\(name)-\($0)") } }
}
