import Gearman
import JSON
import TestServers
import Testing

extension EndToEnd {
    /// What the log broadcast costs a worker's jobs.
    @Suite("a worker's broadcast", .timeLimit(.minutes(6)))
    struct WorkerBroadcastTests {
        /// A worker that broadcasts its log, and one that does not.
        private struct Pair {
            let client: Client
            /// So much goes into the log twice for each job, as the request and as the answer.
            let request: JSONValue = ["hpcs_action": "STATS", "note": .string(String(repeating: "x", count: 20_000))]

            func ask(_ name: String) async throws -> Duration {
                let start = ContinuousClock.now
                let reply = try await client.send(request, to: name)
                let taken = ContinuousClock.now - start
                #expect(reply.isPass, "\(reply)")
                return taken
            }

            /// Fills all that the broadcasting worker has for records that do not leave: 4 MiB, and half as much behind it.
            func fill() async throws {
                for _ in 0..<170 { _ = try await ask("lb-7") }
            }

            /// Asks both in turn, and expects that the one takes no longer than the other.
            ///
            /// A machine that is busy is so for both. Whatever would wait for a broker that takes nothing waits for ever, or
            /// until a time limit.
            func compare(_ broker: String) async throws {
                var (with, without): ([Duration], [Duration]) = ([], [])
                for _ in 0..<50 {
                    with.append(try await ask("lb-7"))
                    without.append(try await ask("lb-8"))
                }
                with.sort()
                without.sort()
                #expect(with[25] < without[25] * 2 + .milliseconds(20), "\(broker), p50: \(with[25]), \(without[25])")
                #expect(with[45] < without[45] * 3 + .milliseconds(50), "\(broker), p90: \(with[45]), \(without[45])")
            }
        }

        @Test("a worker's log is seen live, and no job waits for a broker that is away, hangs, or takes nothing")
        func broker() async throws {
            try await withRabbitMQ { broker in
                try await withGearmanServer { server in
                    try await withTemporaryFolder { folder in
                        let url = "amqp://127.0.0.1:\(broker.port)"
                        let live = try await watch(["--grep", "action=STATS", "--count", "1"], url, in: folder)
                        let notices = try await watch(["--logger", "libra.broadcast"], url, in: folder)
                        let workers = [
                            try await ForegroundWorker.start(
                                in: folder, name: "lb-7", ports: [server.port],
                                configuration: "[broadcast]\nurl = \(url)\nlevel = debug"),
                            try await ForegroundWorker.start(in: folder, name: "lb-8", ports: [server.port]),
                        ]
                        let result: Result<Void, any Error>
                        do {
                            for worker in workers { try await untilRegistered(worker, at: server) }
                            result = .success(
                                try await compare(broker, Pair(client: try client(of: server)), live, notices))
                        } catch {
                            result = .failure(error)
                        }
                        for worker in workers { await worker.stop() }
                        await notices.stop()
                        try result.get()
                    }
                }
            }
        }

        @Test("a worker whose broadcast does not work says so in its log file, and at its end what that cost")
        func trouble() async throws {
            try await withGearmanServer { server in
                try await withTemporaryFolder { folder in
                    let file = "\(folder)/worker.log"
                    let url = "amqp://libra:s3cret@127.0.0.1:\(try freePort())"
                    let worker = try await ForegroundWorker.start(
                        in: folder, name: "lb-7", ports: [server.port], arguments: ["--logfile", file],
                        configuration: "[broadcast]\nurl = \(url)")
                    let said: ()? = try? await eventually("a word of the broker") {
                        readText(file).contains(" warning libra_worker[\(worker.pid)]: [broadcast] url: broker amqp://")
                    }
                    let works: ()? = try? await untilRegistered(worker, at: server)
                    await worker.stop()
                    let log = readText(file)
                    #expect(said != nil && works != nil, "\(log)")
                    #expect(log.contains(" records could not be sent before the end"), "\(log)")
                    #expect(!log.contains("s3cret"))
                }
            }
        }

        private func compare(
            _ broker: RabbitMQServer, _ pair: Pair, _ live: ChildProcess, _ notices: ChildProcess
        ) async throws {
            for name in ["lb-7", "lb-8"] {
                let update = updateRequest(front: try freePort(), nodes: [try freePort()])
                #expect(try await pair.client.send(update, to: name).isPass)
            }
            try await pair.compare("up")
            #expect(try await live.waitForExit(within: .seconds(60)) == 0)
            #expect(live.output.contains("libra_worker["), "\(live.output.prefix(500))")

            // Each time it has more to say than it may keep: that it dropped some tells that all was full.
            try await broker.stopApplication()
            try await pair.fill()
            try await pair.compare("away")
            try await broker.startApplication()
            try await drops(notices, atLeast: 1)

            broker.freeze()
            try await pair.fill()
            try await pair.compare("hangs")
            broker.thaw()
            try await drops(notices, atLeast: 2)

            try await broker.raiseMemoryAlarm()
            try await pair.fill()
            try await pair.compare("takes nothing")
            try await broker.endMemoryAlarm()
            try await drops(notices, atLeast: 3)
            // Nothing of that is left.
            try await pair.compare("up again")
        }

        private func watch(_ arguments: [String], _ url: String, in folder: String) async throws -> ChildProcess {
            let tail = try await ChildProcess.start(
                Repository.executable("logcast"), ["tail", "--url", url] + arguments, in: folder)
            try await eventually(within: .seconds(60), "watching") { tail.output.contains("watching") }
            return tail
        }

        private func drops(_ notices: ChildProcess, atLeast count: Int) async throws {
            try await eventually(within: .seconds(60), "notice \(count) of dropped records") {
                notices.output.matches(of: /were dropped/).count >= count
            }
        }
    }
}
