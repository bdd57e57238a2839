import CommandKit
import Gearman

/// Who is registered with the job servers.
struct Roster {
    let servers: JobServers
    /// How long a job server may take to tell.
    var patience = Duration.seconds(2)

    /// A worker, and the job servers to try, the best first.
    struct Recipient: Hashable {
        let worker: String
        let servers: [JobServer]
    }

    /// A function that a job server knows, and the job server.
    struct Registration {
        let server: JobServer
        let function: FunctionStatus
    }

    /// Every worker that some job server knows, in the order of their names.
    func everybody() async throws(CommandError) -> [Recipient] {
        let homes = try await homes()
        guard !homes.isEmpty else { throw CommandError(.unavailable, "no worker is registered with \(servers.names)") }
        return homes.map { Recipient(worker: $0, servers: $1) }.sorted { $0.worker < $1.worker }
    }

    /// The workers of these names, each once, whether they are registered or not.
    ///
    /// A job goes to a job server that has the worker, since elsewhere it waits for ever; when none has it, the job waits
    /// for the worker to come, and the user is told.
    func find(_ workers: [String]) async throws(CommandError) -> [Recipient] {
        let homes = try await homes()
        var seen: Set<String> = []
        return workers.filter { seen.insert($0).inserted }.map { worker in
            if let servers = homes[worker] { return Recipient(worker: worker, servers: servers) }
            complain("no worker \(worker) is registered with \(servers.names) now; the job waits for one")
            return Recipient(worker: worker, servers: servers.list)
        }
    }

    /// What every job server says of the functions that somebody serves.
    ///
    /// A job server that does not answer is passed over, and the user is told.
    func registrations() async throws(CommandError) -> [Registration] {
        let answers = await withTaskGroup(of: (Int, Result<[FunctionStatus], GearmanError>).self) { group in
            for (index, server) in servers.list.enumerated() {
                group.addTask { (index, await functions(at: server)) }
            }
            var answers: [(Int, Result<[FunctionStatus], GearmanError>)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }
        }
        var registrations: [Registration] = []
        var failures: [GearmanError] = []
        for (index, answer) in answers {
            switch answer {
            case .success(let functions):
                registrations += functions.filter { $0.workers > 0 }
                    .map { Registration(server: servers.list[index], function: $0) }
            case .failure(let error): failures.append(error)
            }
        }
        guard failures.count < servers.list.count else {
            let isRefused = failures.contains { $0.code == .tlsUnavailable || $0.code == .invalidArgument }
            throw CommandError(
                isRefused ? .configuration : .unavailable, messages: failures.map(\.message), cause: failures.first)
        }
        for failure in failures { complain(failure.message) }
        return registrations
    }

    /// The job servers of every worker.
    private func homes() async throws(CommandError) -> [String: [JobServer]] {
        Dictionary(grouping: try await registrations(), by: \.function.function).mapValues { $0.map(\.server) }
    }

    private func functions(at server: JobServer) async -> Result<[FunctionStatus], GearmanError> {
        do throws(GearmanError) {
            return .success(try await Admin(server: server, tls: servers.tls, timeout: patience).status())
        } catch {
            return .failure(error)
        }
    }
}

/// Tells the user something on standard error.
func complain(_ text: String) {
    Terminal.error.write("libra_client: \(visibleText(text))\n")
}
