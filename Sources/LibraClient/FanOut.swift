import CommandKit
import Gearman
import JSON
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
    let tls: TLSOptions?
    let timeout: Duration

    /// Sends the request, and hands over the reply of each recipient as it comes.
    ///
    /// Replies that `desk` has not taken yet are left with the job servers, but for a few.
    func send(_ request: JSONValue, to desk: ReplyDesk) async throws(CommandError) {
        let workload = request.bytes()
        var streams: [JobReplies] = []
        for (servers, group) in Dictionary(grouping: recipients, by: \.servers) {
            let requests = group.map { JobRequest(function: $0.worker, workload: workload) }
            do throws(GearmanError) {
                streams.append(try Client(servers: servers, tls: tls).submitAll(requests, timeout: timeout))
            } catch {
                throw CommandError(
                    error.code == .invalidArgument ? .usage : .configuration, error.message, cause: error)
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for stream in streams {
                group.addTask {
                    for await reply in stream { await desk.take(WorkerReply(reply)) }
                }
            }
        }
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
