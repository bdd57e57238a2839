import CommandKit
import Gearman

/// Who is registered with the job servers.
struct Roster {
    let servers: [JobServer]

    /// A worker, and a job server that can reach it.
    struct Recipient: Hashable {
        let worker: String
        /// The job servers to try, the best first.
        let servers: [JobServer]
    }

    /// A function that a job server knows, and the job server.
    struct Registration {
        let server: JobServer
        let function: FunctionStatus
    }

    /// Every worker that some job server knows, in the order of their names, at the first job server that has it.
    func everybody() async throws(CommandError) -> [Recipient] {
        var seen: Set<String> = []
        var recipients: [Recipient] = []
        for registration in try await registrations() where seen.insert(registration.function.function).inserted {
            recipients.append(Recipient(worker: registration.function.function, servers: [registration.server]))
        }
        guard !recipients.isEmpty else {
            throw CommandError(.unavailable, "no worker is registered with \(names)")
        }
        return recipients.sorted { $0.worker < $1.worker }
    }

    /// The workers of these names, whether they are registered or not.
    ///
    /// With several job servers each name goes to one that has the worker, since a job that no worker takes waits there.
    func find(_ workers: [String]) async throws(CommandError) -> [Recipient] {
        guard servers.count > 1 else { return workers.map { Recipient(worker: $0, servers: servers) } }
        let known = try await registrations()
        return workers.map { worker in
            let home = known.first { $0.function.function == worker }?.server
            return Recipient(worker: worker, servers: home.map { [$0] } ?? servers)
        }
    }

    /// What every job server says of the functions that somebody serves; job servers that do not answer are passed over.
    func registrations() async throws(CommandError) -> [Registration] {
        let answers = await withTaskGroup(of: (Int, Result<[FunctionStatus], GearmanError>).self) { group in
            for (index, server) in servers.enumerated() {
                group.addTask { (index, await functions(at: server)) }
            }
            var answers: [(Int, Result<[FunctionStatus], GearmanError>)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }
        }
        var registrations: [Registration] = []
        var failures: [String] = []
        for (index, answer) in answers {
            switch answer {
            case .success(let functions):
                registrations += functions.filter { $0.workers > 0 }
                    .map { Registration(server: servers[index], function: $0) }
            case .failure(let error): failures.append(error.description)
            }
        }
        guard failures.count < servers.count else { throw CommandError(.unavailable, messages: failures) }
        return registrations
    }

    private func functions(at server: JobServer) async -> Result<[FunctionStatus], GearmanError> {
        do throws(GearmanError) {
            return .success(try await Admin(server: server).status())
        } catch {
            return .failure(error)
        }
    }

    private var names: String { servers.map(\.description).joined(separator: ", ") }
}
