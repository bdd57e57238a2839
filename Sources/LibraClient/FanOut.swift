import CommandKit
import Gearman
import LoadBalancing

/// What one worker answered.
struct WorkerReply: Sendable {
    enum Outcome: Sendable {
        /// The reply.
        case answered(JSONValue)
        /// Why there is none.
        case silent(String)
    }
    let worker: String
    let outcome: Outcome
}

/// Sends one request to many workers at once, over one connection to each job server.
struct FanOut {
    let recipients: [Roster.Recipient]
    let timeout: Duration

    /// The replies as they come: one for each recipient.
    func send(_ request: JSONValue) throws(CommandError) -> AsyncStream<WorkerReply> {
        let workload = request.bytes()
        var streams: [JobReplies] = []
        for (servers, group) in Dictionary(grouping: recipients, by: \.servers) {
            let requests = group.map { JobRequest(function: $0.worker, workload: workload) }
            do throws(GearmanError) {
                streams.append(try Client(servers: servers).submitAll(requests, timeout: timeout))
            } catch {
                throw CommandError(error.code == .invalidArgument ? .usage : .unavailable, error.message, cause: error)
            }
        }
        let (replies, continuation) = AsyncStream.makeStream(of: WorkerReply.self)
        Task { [streams] in
            await withTaskGroup(of: Void.self) { group in
                for stream in streams {
                    group.addTask {
                        for await reply in stream { continuation.yield(WorkerReply(reply)) }
                    }
                }
            }
            continuation.finish()
        }
        return replies
    }
}

extension WorkerReply {
    fileprivate init(_ reply: JobReply) {
        worker = reply.function
        switch reply.result {
        case .success(let bytes):
            do {
                outcome = .answered(try JSONValue(parsing: bytes))
            } catch {
                outcome = .silent("the reply is not JSON: \(error)")
            }
        case .failure(let error): outcome = .silent(error.description)
        }
    }
}
