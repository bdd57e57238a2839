import Gearman
import Logging
import Synchronization
import TestServers
import Testing

@Suite(.timeLimit(.minutes(2))) struct GearmanWorkerTests {
    @Test(
        "a workload and its result may be empty, binary with NUL, or 5 MiB", arguments: [0, 1, 256, 5 << 20])
    func workloads(size: Int) async throws {
        let workload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        try await withGearmanServer { server in
            try await withEcho(on: server.port) {
                let client = try Client(servers: [local(server.port)])
                for _ in 0..<3 {
                    let result = try await client.submit(function: "echo", workload: workload, timeout: .seconds(10))
                    #expect(result == workload)
                }
            }
        }
    }

    @Test("a job carries its function, its handle, its unique id and its job server")
    func fields() async throws {
        try await withGearmanServer { server in
            let address = try local(server.port)
            let worker = try Worker(function: "tell", servers: [address], logger: quietLogger) { job in
                .complete(Array("\(job.function) \(job.handle) \(job.unique) \(job.server)".utf8))
            }
            try await withWorker(worker) { _ in
                let client = try Client(servers: [address])
                let result = try await client.submit(
                    function: "tell", workload: [], unique: "mine", timeout: .seconds(5))
                let words = String(decoding: result, as: UTF8.self).split(separator: " ")
                #expect(words.count == 4)
                #expect(words.first == "tell")
                #expect(words.dropFirst().first?.hasPrefix("H:") == true)
                #expect(words.dropFirst(2).first == "mine")
                #expect(words.last == "127.0.0.1:\(server.port)")
            }
        }
    }

    @Test("a job that fails is told to the client as failed, and the next one is served")
    func fail() async throws {
        try await withGearmanServer { server in
            let worker = try Worker(function: "pick", servers: [local(server.port)], logger: quietLogger) { job in
                job.workload.isEmpty ? .fail : .complete(job.workload)
            }
            try await withWorker(worker) { _ in
                let client = try Client(servers: [local(server.port)])
                #expect(
                    await gearmanCode {
                        _ = try await client.submit(function: "pick", workload: [], timeout: .seconds(5))
                    }
                        == .jobFailed)
                #expect(try await client.submit(function: "pick", workload: [1], timeout: .seconds(5)) == [1])
            }
        }
    }

    @Test("long jobs on all connections do not hold up a short one, and spare connections end when idle")
    func elastic() async throws {
        try await withGearmanServer { server in
            let gate = Gate()
            var options = WorkerOptions()
            options.connections = 2
            options.spareLifetime = .milliseconds(200)
            let worker = try Worker(
                function: "wait", servers: [local(server.port)], options: options, logger: quietLogger
            ) { job in
                if !job.workload.isEmpty { await gate.pass() }
                return .complete(job.workload)
            }
            try await withWorker(worker) { _ in
                let client = try Client(servers: [local(server.port)])
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 1...6 {
                        group.addTask {
                            let result = try await client.submit(
                                function: "wait", workload: [UInt8(number)], timeout: .seconds(30))
                            #expect(result == [UInt8(number)])
                        }
                    }
                    try await eventually { gate.arrived == 6 }
                    // Served while the six wait.
                    #expect(try await client.submit(function: "wait", workload: [], timeout: .seconds(10)) == [])
                    try await eventually { worker.status[0].jobs == 6 }
                    gate.open()
                    try await group.waitForAll()
                }
                try await eventually { worker.status[0].connections == 2 }
                #expect(try await client.submit(function: "wait", workload: [], timeout: .seconds(5)) == [])
            }
        }
    }

    @Test("no more connections are opened than allowed, and the rest of the jobs waits its turn")
    func maximum() async throws {
        try await withGearmanServer { server in
            let running = Mutex((now: 0, most: 0))
            let gate = Gate()
            var options = WorkerOptions()
            options.connections = 1
            options.maximumConnections = 3
            let worker = try Worker(
                function: "count", servers: [local(server.port)], options: options, logger: quietLogger
            ) { job in
                running.withLock { running in
                    running.now += 1
                    running.most = max(running.most, running.now)
                }
                await gate.pass()
                running.withLock { $0.now -= 1 }
                return .complete([])
            }
            try await withWorker(worker) { _ in
                let client = try Client(servers: [local(server.port)])
                let requests = Array(repeating: JobRequest(function: "count", workload: []), count: 12)
                let replies = try client.submitAll(requests, timeout: .seconds(20))
                try await eventually("as many jobs as are allowed") { gate.arrived == 3 }
                // A moment in which one more would be opened.
                try await Task.sleep(for: .milliseconds(200))
                gate.open()
                var count = 0
                for await reply in replies {
                    #expect((try? reply.result.get()) == [])
                    count += 1
                }
                #expect(count == 12)
            }
            #expect(running.withLock { $0.most } == 3)
        }
    }

    @Test("an idle worker stops within 100 ms")
    func stopIdle() async throws {
        try await withGearmanServer { server in
            // Other tests may take the processor for a while: the best of a few counts.
            var best = Duration.seconds(60)
            for _ in 0..<20 where best > .milliseconds(100) {
                let worker = try Worker(
                    function: "idle", servers: [local(server.port)], logger: quietLogger,
                    handler: { .complete($0.workload) })
                try await withWorker(worker) { stop in
                    #expect(await worker.waitUntilReady() == .registered)
                    try await eventually { worker.status[0].connections == 4 }
                    best = min(best, try await ContinuousClock().measure { try await stop() })
                }
            }
            #expect(best < .milliseconds(100))
            let admin = try Admin(server: local(server.port))
            try await eventually { try await admin.status().allSatisfy { $0.workers == 0 } }
        }
    }

    @Test("a worker that is stopped amid jobs answers them and takes no other", arguments: [0, 5 << 20])
    func stopBusy(size: Int) async throws {
        try await withGearmanServer { server in
            let gate = Gate()
            let worker = try Worker(function: "slow", servers: [local(server.port)], logger: quietLogger) { job in
                await gate.pass()
                return .complete(Array(repeating: job.workload[0], count: size))
            }
            let client = try Client(servers: [local(server.port)])
            try await withWorker(worker) { stop in
                async let first = client.submit(function: "slow", workload: [1], timeout: .seconds(20))
                async let second = client.submit(function: "slow", workload: [2], timeout: .seconds(20))
                try await eventually { gate.arrived == 2 && worker.status[0].connections == 4 }
                async let stopped: Void = stop()
                try await eventually("the end of the idle connections") { worker.status[0].connections == 2 }
                try await client.submitBackground(function: "slow", workload: [3])
                try await Task.sleep(for: .milliseconds(100))
                gate.open()
                #expect(try await first == Array(repeating: 1, count: size))
                #expect(try await second == Array(repeating: 2, count: size))
                try await stopped
                #expect(gate.arrived == 2)
            }
            let rows = try await Admin(server: local(server.port)).status()
            #expect(rows.first { $0.function == "slow" }?.jobs == 1)
        }
    }

    @Test("cancellation reaches the handler, and its answer is still sent")
    func cancel() async throws {
        try await withGearmanServer { server in
            let hasBegun = Gate()
            hasBegun.open()
            let worker = try Worker(function: "sleep", servers: [local(server.port)], logger: quietLogger) { _ in
                await hasBegun.pass()
                do {
                    try await Task.sleep(for: .seconds(60))
                    return .fail
                } catch {
                    return .complete(Array("cancelled".utf8))
                }
            }
            let client = try Client(servers: [local(server.port)])
            let running = Task { try await worker.run() }
            async let result = client.submit(function: "sleep", workload: [], timeout: .seconds(20))
            try await eventually { hasBegun.arrived == 1 }
            running.cancel()
            #expect(try await result == Array("cancelled".utf8))
            try await running.value
        }
    }

    @Test("a worker's own connections are not taken for a second worker, another's are")
    func secondWorker() async throws {
        try await withGearmanServer { server in
            let first = LogRecorder()
            let second = LogRecorder()
            let warning = "Another worker has registered the same function"
            func worker(_ recorder: LogRecorder) throws -> Worker {
                var options = WorkerOptions()
                options.identifier += "-\(ObjectIdentifier(recorder).hashValue)"
                return try Worker(
                    function: "shared", servers: [local(server.port)], options: options, logger: recorder.logger,
                    handler: { .complete($0.workload) })
            }
            let one = try worker(first)
            try await withWorker(one) { _ in
                #expect(await one.waitUntilReady() == .registered)
                try await eventually { one.status[0].connections == 4 }
                let rows = try await Admin(server: local(server.port)).workers()
                #expect(rows.count { $0.functions == ["shared"] && $0.identifier.hasPrefix("libra-") } == 4)
                try await Task.sleep(for: .milliseconds(200))
                #expect(!first.messages.contains { $0.contains(warning) })
                let two = try worker(second)
                try await withWorker(two) { _ in
                    try await eventually { second.messages.contains { $0.hasPrefix("warning \(warning)") } }
                }
            }
        }
    }

    @Test(
        "a name with several addresses leads to the one where the job server listens", arguments: ["127.0.0.1", "::1"])
    func severalAddresses(address: String) async throws {
        try await withGearmanServer(address: address) { server in
            // localhost is 127.0.0.1 and ::1 on most machines, and at least one of them on all.
            guard try await run("getent", ["ahosts", "localhost"]).output.contains(address + " ") else { return }
            let local = try JobServer(host: "localhost", port: server.port)
            let worker = try Worker(
                function: "name", servers: [local], logger: quietLogger, handler: { .complete($0.workload) })
            try await withWorker(worker) { _ in
                let client = try Client(servers: [local])
                #expect(try await client.submit(function: "name", workload: [1], timeout: .seconds(5)) == [1])
            }
        }
    }

    @Test("a job server on IPv6 is served")
    func ipv6() async throws {
        try await withGearmanServer(address: "::1") { server in
            let address = try JobServer("[::1]:\(server.port)")
            let worker = try Worker(
                function: "six", servers: [address], logger: quietLogger, handler: { .complete($0.workload) })
            try await withWorker(worker) { _ in
                let client = try Client(servers: [address])
                #expect(try await client.submit(function: "six", workload: [6], timeout: .seconds(5)) == [6])
                #expect(try await Admin(server: address).version().hasPrefix("1."))
            }
        }
    }

    @Test("a client cannot make the worker submit jobs of its own by naming a reducer")
    func reducer() async throws {
        try await withGearmanServer { server in
            try await withEcho(on: server.port) {
                // SUBMIT_REDUCE_JOB_BACKGROUND: function, unique, reducer, aggregator flag, workload.
                let body = Array("echo\0u\0nobody\0\u{0}0\0work".utf8)
                try await sendPacket(kind: 38, body: body, to: server.port)
                let client = try Client(servers: [local(server.port)])
                for _ in 0..<8 {
                    #expect(try await client.submit(function: "echo", workload: [1], timeout: .seconds(5)) == [1])
                }
                let rows = try await Admin(server: local(server.port)).status()
                #expect(!rows.contains { $0.function == "nobody" })
            }
        }
    }

    private func sendPacket(kind: UInt8, body: [UInt8], to port: Int) async throws {
        try await withTemporaryFolder { folder in
            let size = (0..<4).reversed().map { UInt8(truncatingIfNeeded: body.count >> ($0 * 8)) }
            let packet = [0, 0x52, 0x45, 0x51, 0, 0, 0, kind] + size + body
            let octal = packet.map { "\\" + String(Int($0) + 0o1000, radix: 8).dropFirst() }.joined()
            try writeText("printf '\(octal)' | socat -t 1 - TCP:127.0.0.1:\(port)\n", to: "\(folder)/send.sh")
            #expect(try await run("sh", ["\(folder)/send.sh"]).exitCode == 0)
        }
    }
}
