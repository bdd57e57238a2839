import Gearman
import Glibc
import Logging
import ServiceLifecycle
import Synchronization
import TestServers
import Testing

@Suite(.timeLimit(.minutes(2))) struct GearmanFaultTests {
    @Test("a worker serves again after gearmand was killed while it was idle, on all its connections")
    func restartIdle() async throws {
        try await withGearmanServer { server in
            let recorder = LogRecorder()
            let worker = try Worker(
                function: "echo", servers: [local(server.port)], options: impatient, logger: recorder.logger,
                handler: { .complete($0.workload) })
            let client = try Client(servers: [local(server.port)])
            try await withWorker(worker) { _ in
                for round in 0..<3 {
                    try await eventually { worker.status[0].connections == 4 }
                    let result = try await client.submit(
                        function: "echo", workload: [UInt8(round)], timeout: .seconds(5))
                    #expect(result == [UInt8(round)])
                    await server.kill()
                    try await eventually { !worker.status[0].isConnected }
                    #expect(worker.status[0].lastError != nil)
                    try await server.start()
                }
                try await eventually { worker.status[0].connections == 4 }
                #expect(try await client.submit(function: "echo", workload: [9], timeout: .seconds(5)) == [9])
                #expect(recorder.messages.contains { $0.hasPrefix("warning The job server is gone") })
            }
        }
    }

    @Test("a job whose job server is killed while it runs is finished, its loss is logged, and the worker serves again")
    func restartBusy() async throws {
        try await withGearmanServer { server in
            let recorder = LogRecorder()
            let gate = Gate()
            let worker = try Worker(
                function: "slow", servers: [local(server.port)], options: impatient, logger: recorder.logger
            ) { job in
                if !job.workload.isEmpty { await gate.pass() }
                return .complete(job.workload)
            }
            let client = try Client(servers: [local(server.port)])
            try await withWorker(worker) { _ in
                async let code = gearmanCode {
                    _ = try await client.submit(function: "slow", workload: [1], timeout: .seconds(20))
                }
                try await eventually { gate.arrived == 1 }
                await server.kill()
                #expect(await code == .connectionLost)
                try await server.start()
                // The connections without a job come back before the one with it is free.
                #expect(try await client.submit(function: "slow", workload: [], timeout: .seconds(10)) == [])
                gate.open()
                try await eventually {
                    recorder.messages.contains { $0.contains("before the job server had the answer") }
                }
                try await eventually { worker.status[0].connections >= 4 }
                #expect(try await client.submit(function: "slow", workload: [2], timeout: .seconds(10)) == [2])
            }
        }
    }

    @Test("a job whose connection is reset while it runs comes to the worker again")
    func redelivery() async throws {
        try await withGearmanServer { server in
            let relay = try TCPRelay(to: server.port)
            let gate = Gate()
            let worker = try Worker(
                function: "twice", servers: [local(relay.port)], options: impatient, logger: quietLogger
            ) { job in
                await gate.pass()
                return .complete(job.workload)
            }
            let client = try Client(servers: [local(server.port)])
            try await withWorker(worker) { _ in
                async let result = client.submit(function: "twice", workload: [7], timeout: .seconds(20))
                try await eventually { gate.arrived == 1 && worker.status[0].connections == 4 }
                relay.become(.reset)
                let admin = try Admin(server: local(server.port))
                try await eventually { try await admin.workers().allSatisfy { $0.functions.isEmpty } }
                relay.become(.forward)
                gate.open()
                #expect(try await result == [7])
                #expect(gate.arrived == 2)
            }
            relay.close()
        }
    }

    @Test(
        "what became of an answer is told once for each delivery: lost with its connection, delivered when it arrived")
    func fates() async throws {
        try await withGearmanServer { server in
            let relay = try TCPRelay(to: server.port)
            let gate = Gate()
            let told = Mutex<[(job: Job, fate: AnswerFate)]>([])
            let worker = try Worker(
                function: "fates", servers: [local(relay.port)], options: impatient, logger: quietLogger,
                handler: { job in
                    await gate.pass()
                    return .complete(job.workload)
                },
                answered: { job, fate in told.withLock { $0.append((job, fate)) } })
            let client = try Client(servers: [local(server.port)])
            try await withWorker(worker) { _ in
                async let result = client.submit(function: "fates", workload: [7], timeout: .seconds(20))
                try await eventually { gate.arrived == 1 && worker.status[0].connections == 4 }
                relay.become(.reset)
                let admin = try Admin(server: local(server.port))
                try await eventually { try await admin.workers().allSatisfy { $0.functions.isEmpty } }
                relay.become(.forward)
                gate.open()
                #expect(try await result == [7])
                for _ in 1...3 { _ = try await client.submit(function: "fates", workload: [], timeout: .seconds(5)) }
                try await eventually { told.withLock { $0.count } == 5 }
            }
            let (jobs, fates) = told.withLock { ($0.map(\.job), $0.map(\.fate)) }
            #expect(fates.count { $0 == .lost } == 1)
            let lost = try #require(zip(jobs, fates).first { $0.1 == .lost }).0
            #expect(jobs.filter { $0.handle == lost.handle && $0.unique == lost.unique }.count == 2)
            #expect(Set(jobs.map(\.delivery)).count == 5)
            relay.close()
        }
    }

    @Test("the answer to a job that a worker finishes while it stops is told as delivered")
    func fateAtTheEnd() async throws {
        try await withGearmanServer { server in
            let gate = Gate()
            let told = Mutex<[AnswerFate]>([])
            let worker = try Worker(
                function: "last", servers: [local(server.port)], options: impatient, logger: quietLogger,
                handler: { job in
                    await gate.pass()
                    return .complete(job.workload)
                },
                answered: { _, fate in told.withLock { $0.append(fate) } })
            let client = try Client(servers: [local(server.port)])
            try await withWorker(worker) { stop in
                async let result = client.submit(function: "last", workload: [7], timeout: .seconds(20))
                try await eventually { gate.arrived == 1 }
                async let stopped: Void = stop()
                gate.open()
                #expect(try await result == [7])
                try await stopped
                #expect(told.withLock { $0 } == [.delivered])
            }
        }
    }

    @Test("a job server that accepts and never answers counts as not connected, and does not hold up another one")
    func blackHole() async throws {
        try await withGearmanServer { server in
            let relay = try TCPRelay(to: server.port, behaviour: .blackHole)
            let worker = try Worker(
                function: "echo", servers: [local(relay.port), local(server.port)], options: impatient,
                logger: quietLogger, handler: { .complete($0.workload) })
            let client = try Client(servers: [local(server.port)])
            try await withWorker(worker) { _ in
                #expect(await worker.waitUntilReady() == .registered)
                let time = try await ContinuousClock().measure {
                    for _ in 0..<100 {
                        _ = try await client.submit(function: "echo", workload: [1], timeout: .seconds(5))
                    }
                }
                #expect(time < .seconds(20))
                try await eventually { worker.status[0].lastError?.code == .notConnected }
                #expect(!worker.status[0].isConnected)
                #expect(worker.status[0].lastError?.message.contains("does not answer") == true)
                #expect(worker.status[1].isConnected)
                relay.become(.forward)
                try await eventually { worker.status[0].isConnected }
            }
            relay.close()
        }
    }

    @Test("a stop interrupts an attempt with a job server that does not answer, and the pause after a failed one")
    func stopWhileConnecting() async throws {
        let relay = try TCPRelay(to: 1, behaviour: .blackHole)
        try await withGearmanServer { server in
            server.signal(SIGSTOP)
            defer { server.signal(SIGCONT) }
            let nobody = try freePort()
            let worker = try Worker(
                function: "echo", servers: [local(server.port), local(nobody)], logger: quietLogger,
                handler: { .complete($0.workload) })
            try await withWorker(worker) { stop in
                try await eventually { worker.status[1].lastError != nil }
                let time = try await ContinuousClock().measure { try await stop() }
                #expect(time < .seconds(4))
            }
        }
        relay.close()
    }

    @Test("a worker whose job servers are all away says that it is retrying, and registers when one comes")
    func lateServer() async throws {
        try await withGearmanServer { server in
            await server.kill()
            let worker = try Worker(
                function: "echo", servers: [local(server.port), local(try freePort())], options: impatient,
                logger: quietLogger, handler: { .complete($0.workload) })
            try await withWorker(worker) { _ in
                #expect(await worker.waitUntilReady() == .retrying)
                #expect(worker.status.allSatisfy { !$0.isConnected && $0.lastError?.code == .notConnected })
                try await server.start()
                try await eventually { worker.status[0].isConnected }
            }
            #expect(await worker.waitUntilReady() == .retrying)
        }
    }

    @Test("a name that nobody knows is reported with the name, and a worker cannot be run twice")
    func unknownName() async throws {
        let worker = try Worker(
            function: "echo", servers: [JobServer("no-such-host.invalid")], options: impatient, logger: quietLogger,
            handler: { .complete($0.workload) })
        try await withWorker(worker) { stop in
            #expect(await worker.waitUntilReady() == .retrying)
            #expect(worker.status[0].lastError?.message.contains("no-such-host.invalid") == true)
            #expect(await gearmanCode { try await worker.run() } == .invalidArgument)
            let time = try await ContinuousClock().measure { try await stop() }
            #expect(time < .seconds(4))
        }
    }

    @Test("a port where something else listens is told from a job server")
    func wrongPort() async throws {
        try await withTemporaryFolder { folder in
            let port = try freePort()
            let web = try await ChildProcess.start(
                "python3", ["-m", "http.server", "\(port)", "--bind", "127.0.0.1"], in: folder)
            try await eventually { accepts(port: port) }
            let worker = try Worker(
                function: "echo", servers: [local(port)], options: impatient, logger: quietLogger,
                handler: { .complete($0.workload) })
            try await withWorker(worker) { _ in
                #expect(await worker.waitUntilReady() == .retrying)
            }
            #expect(worker.status[0].lastError != nil)
            await web.stop()
        }
    }

    @Test("keepalive is set on the connections as asked, and their close does not linger")
    func keepalive() async throws {
        try await withGearmanServer { server in
            var options = WorkerOptions()
            options.connections = 2
            options.keepalive = Keepalive(count: 5, idle: .seconds(33), interval: .seconds(7))
            let worker = try Worker(
                function: "alive", servers: [local(server.port)], options: options, logger: quietLogger,
                handler: { .complete($0.workload) })
            try await withWorker(worker) { _ in
                try await eventually { worker.status[0].connections == 2 }
                let sockets = (3..<Int32(4096)).filter { peerPort(of: $0) == server.port }
                #expect(sockets.count >= 2)
                let tuned = sockets.filter { socket in
                    option(SO_KEEPALIVE, SOL_SOCKET, of: socket) == 1 && option(TCP_KEEPCNT, of: socket) == 5
                        && option(TCP_KEEPIDLE, of: socket) == 33 && option(TCP_KEEPINTVL, of: socket) == 7
                        && option(TCP_USER_TIMEOUT, of: socket) == 68_000
                        && option(SO_LINGER, SOL_SOCKET, of: socket) == 0
                }
                #expect(tuned.count == 2)
            }
        }
    }

    private var impatient: WorkerOptions {
        var options = WorkerOptions()
        options.reconnectSleep = .milliseconds(200)
        options.connectTimeout = .milliseconds(500)
        return options
    }

    private func peerPort(of descriptor: Int32) -> Int? {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        return status == 0 && Int32(address.sin_family) == AF_INET ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }

    private func option(_ name: Int32, _ level: Int32 = Int32(IPPROTO_TCP), of descriptor: Int32) -> Int32 {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, level, name, &value, &length)
        return value
    }
}
