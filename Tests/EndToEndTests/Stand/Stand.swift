import Gearman
import Glibc
import JSON
import LoadBalancing
import TestServers

/// A job server, two HTTP nodes, and a worker that runs HAProxy itself: all of it real, on loopback.
struct Stand {
    let folder: String
    let server: GearmanServer
    let worker: ForegroundWorker
    let nodes: [HTTPNode]
    /// The port where the balancer of ``update(_:)`` listens.
    let front: Int
    let client: Client

    /// Sends a request to the worker.
    func send(_ request: JSONValue, within limit: Duration = .seconds(30)) async throws -> JSONValue {
        try await send(bytes: request.bytes(), within: limit)
    }

    /// Sends bytes to the worker.
    func send(bytes: [UInt8], within limit: Duration = .seconds(30)) async throws -> JSONValue {
        try JSONValue(parsing: try await client.submit(function: worker.name, workload: bytes, timeout: limit))
    }

    /// Sends an action and nothing else.
    func ask(_ action: String, within limit: Duration = .seconds(30)) async throws -> JSONValue {
        try await send(["hpcs_action": .string(action)], within: limit)
    }

    /// An UPDATE with one HTTP balancer over the nodes, with fields of the balancer changed or added.
    func update(_ changes: [String: JSONValue] = [:]) -> JSONValue {
        updateRequest(front: front, nodes: nodes.map(\.port), changes)
    }

    /// Applies ``update(_:)`` and waits until requests go through the balancer.
    func apply(_ changes: [String: JSONValue] = [:]) async throws {
        let reply = try await send(update(changes))
        guard reply.isPass else { throw TestServerError("the UPDATE failed: \(reply); \(worker.log)") }
        try await eventually("a request through the balancer") { await requestHTTP(port: front)?.status == 200 }
    }

    /// Which nodes answer requests through the balancer.
    func answers(to count: Int) async -> [String] {
        var bodies: [String] = []
        for _ in 0..<count { bodies.append(await requestHTTP(port: front)?.body ?? "nobody") }
        return bodies
    }
}

/// Starts a stand, and ends it after `body`, also when that throws.
func withStand(
    user: String? = nil, arguments: [String] = [], environment: [String: String] = [:], configuration: String = "",
    _ body: (Stand) async throws -> Void
) async throws {
    try await withGearmanServer { server in
        try await withTemporaryFolder { folder in
            let worker = try await ForegroundWorker.start(
                in: folder, name: "worker-under-test", ports: [server.port], user: user, arguments: arguments,
                environment: environment, configuration: configuration)
            let nodes = [try await HTTPNode.start("A", in: folder), try await HTTPNode.start("B", in: folder)]
            let stand = Stand(
                folder: folder, server: server, worker: worker, nodes: nodes, front: try freePort(),
                client: try Client(servers: [try JobServer(host: "127.0.0.1", port: server.port)]))
            let result: Result<Void, any Error>
            do {
                try await untilRegistered(worker, at: server)
                result = .success(try await body(stand))
            } catch {
                result = .failure(error)
            }
            await worker.stop()
            for node in nodes { await node.stop() }
            try result.get()
        }
    }
}

/// Waits until a worker is registered with a job server.
func untilRegistered(_ worker: ForegroundWorker, at server: GearmanServer) async throws {
    let admin = try Admin(server: try JobServer(host: "127.0.0.1", port: server.port))
    try await eventually("the registration of \(worker.name)") {
        guard worker.isRunning else { throw TestServerError("the worker has ended: \(worker.log)") }
        return try await admin.status().contains { $0.function == worker.name && $0.workers > 0 }
    }
}

/// An UPDATE with one HTTP balancer, with fields of the balancer changed or added.
func updateRequest(front: Int, nodes: [Int], _ changes: [String: JSONValue] = [:]) -> JSONValue {
    var balancer = JSONObject()
    balancer["id"] = "15"
    balancer["protocol"] = "HTTP"
    balancer["address"] = "127.0.0.1"
    balancer["port"] = .number(front)
    balancer["nodes"] = .array(
        nodes.enumerated().map { index, port in
            ["id": .string("100\(index + 1)"), "address": "127.0.0.1", "port": .number(port)]
        })
    for (field, value) in changes { balancer[field] = value }
    return ["hpcs_action": "UPDATE", "loadBalancers": [.object(balancer)]]
}

extension JSONValue {
    /// Whether a reply says PASS.
    var isPass: Bool { self["hpcs_response"]?.string == "PASS" }
    /// What a FAIL says; nil for a PASS, and for a FAIL without a reason.
    var failure: String? {
        guard self["hpcs_response"]?.string == "FAIL", let error = self["hpcs_error"]?.string, !error.isEmpty else {
            return nil
        }
        return error
    }
}
