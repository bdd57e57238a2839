import Synchronization
import Testing
import TestServers

extension EndToEnd {
    /// Sixteen processes that append to one key, whose clocks step by a day, and which are killed and go on.
    @Suite("muskrat with producers that are killed", .timeLimit(.minutes(5)))
    struct KilledProducersTests {
        @Test("each acknowledged line is there once for each acknowledgement, in one order for all, in a folder")
        func folder() async throws {
            let random = SplitMix64.forThisRun()
            try await withMuskrat { stand in
                let place = MuskratPlace(stand: stand, broker: stand.broker, environment: [:])
                try await check(place, by: place, lines: 600, random, killsOfConsumer: 3)
            }
        }

        @Test(
            "each acknowledged line is there once for each acknowledgement, in one order for all, on S3 with bad answers"
        )
        func bucket() async throws {
            let random = SplitMix64.forThisRun()
            try await withSeaweedFS { server in
                let network = Mutex((random: random, puts: 0))
                let proxy = try ScriptedHTTP(to: server.login.port) { request in
                    network.withLock { network in
                        let draw = Int.random(in: 0..<60, using: &network.random)
                        guard request.method == "PUT" else { return draw == 0 ? .reset : .forward }
                        if request.target.contains("/A/B/log/") {
                            network.puts += 1
                            // One times out, after 20 s, and has happened.
                            if network.puts == 20 { return .forwardInVain(resets: false) }
                        }
                        switch draw {
                        case 0...3: return .forwardInVain(resets: true)
                        case 4: return .reset
                        case 5...6: return Self.slowDown
                        default: return .forward
                        }
                    }
                }
                defer { proxy.close() }
                try await withMuskrat { stand in
                    func place(_ port: Int) -> MuskratPlace {
                        let url = "s3://\(server.login.bucket)/log?endpoint=http://127.0.0.1:\(port)&path-style=true"
                        return MuskratPlace(stand: stand, broker: url, environment: server.login.environment)
                    }
                    try await check(
                        place(server.login.port), by: place(proxy.port), lines: 100, random, killsOfConsumer: 2)
                }
            }
        }

        private static let slowDown = ScriptedHTTP.Step.answer(
            503, body: "<Error><Code>SlowDown</Code><Message>as scripted</Message></Error>")

        /// Has sixteen producers and a consumer go on and be killed, and looks at what came of it.
        ///
        /// - Parameters:
        ///   - place: The broker.
        ///   - way: The same by the way that they take.
        ///   - lines: How many each of the producers is to have stored.
        ///   - random: What decides when who is killed.
        ///   - kills: How often the consumer is.
        /// - Throws: What does not work at all.
        private func check(
            _ place: MuskratPlace, by way: MuskratPlace, lines: Int, _ random: SplitMix64, killsOfConsumer kills: Int
        ) async throws {
            var random = random
            let clock = try await SteppingClock(in: place.stand.folder, interval: .milliseconds(300))
            let stepping = MuskratPlace(
                stand: way.stand, broker: way.broker, environment: way.environment.merging(clock.environment) { $1 })
            let ofConsumer = SplitMix64(state: random.next())
            let areDone = Mutex(false)
            async let killed = consumeAndKill(stepping, times: kills, ofConsumer) { areDone.withLock { $0 } }
            let lives = try await withThrowingTaskGroup(of: [ProducerLives.Life].self) { group in
                for number in 1...16 {
                    let producer = ProducerLives(number: number, place: stepping, lines: lines)
                    let own = SplitMix64(state: random.next())
                    group.addTask { try await producer.run(own) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            areDone.withLock { $0 = true }
            #expect(lives.count { $0.isKilled } > 4, "hardly anybody was killed in mid-stream")
            #expect(lives.reduce(0) { $0 + $1.acknowledged } == 16 * lines)

            let order = try await place.consume("one")
            #expect(try await place.consume("two") == order)
            try await check(killed + [place.consume("killed")], against: order)
            for life in lives {
                // What a producer that was killed has stored is the beginning of what it was given, once.
                let stored = order.filter { $0.hasPrefix(life.name + ".") }
                #expect(stored == life.lines(stored.count), "lines of \(life.name) are not in order, or not there once")
                #expect(stored.count >= life.acknowledged, "\(life.name) was told of \(life.acknowledged)")
                #expect(stored.count <= life.given)
            }
            let verified = try await place.muskrat("verify", "A.B")
            #expect(verified.exitCode == 0, "\(verified)")
            #expect(verified.output.contains("0 faults, 0 remarks"), "\(verified)")
        }

        /// Reads while lines are written, as process after process, which are killed.
        ///
        /// - Parameters:
        ///   - place: The broker.
        ///   - times: How many processes there are.
        ///   - random: What decides when they are killed.
        ///   - producersAreDone: Whether no more lines come, so that none is waited for.
        /// - Returns: What each of them got.
        /// - Throws: What does not work at all.
        private func consumeAndKill(
            _ place: MuskratPlace, times: Int, _ random: SplitMix64,
            until producersAreDone: @escaping @Sendable () -> Bool
        ) async throws -> [[String]] {
            var random = random
            var runs: [[String]] = []
            for run in 1...times {
                let output = "\(place.stand.folder)/consumed-\(run)"
                let consumer = try await place.start(
                    ["consume", "A.B", "--quiet", "--name", "killed", "--follow", "--interval", "20ms"], output: output)
                let target = Int.random(in: 1...3000, using: &random)
                try await eventually(within: .seconds(120), "\(target) bytes for the consumer") {
                    fileSize(output) >= target || producersAreDone()
                }
                await consumer.kill()
                // The last line may be half of one.
                let lines = readText(output).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                runs.append(lines.map(String.init))
            }
            return runs
        }

        /// Checks that each run of a consumer got a piece of the order, and that nothing is between these.
        private func check(_ runs: [[String]], against order: [String]) throws {
            var reached = 0
            for run in runs {
                guard let first = run.first else { continue }
                let start = try #require(order.firstIndex(of: first), "'\(first)' is not there for others")
                #expect(start <= reached, "lines were skipped")
                #expect(run == Array(order[start...].prefix(run.count)), "another order")
                reached = max(reached, start + run.count)
            }
            #expect(reached == order.count)
        }
    }
}

/// `muskrat` at a broker.
struct MuskratPlace {
    let stand: MuskratStand
    let broker: String
    let environment: [String: String]

    /// Runs a command to its end.
    func muskrat(_ arguments: String...) async throws -> CommandResult { try await muskrat(arguments) }

    /// Runs a command to its end.
    func muskrat(_ arguments: [String]) async throws -> CommandResult {
        try await stand.muskrat(arguments + ["--broker", broker], environment: environment)
    }

    /// Starts a command, whose standard output goes to a file.
    func start(
        _ arguments: [String], input: String = "/dev/null", output: String, adding more: [String: String] = [:]
    ) async throws -> ChildProcess {
        try await stand.start(
            arguments + ["--broker", broker], input: input, output: output,
            environment: environment.merging(more) { $1 })
    }

    /// What a consumer gets.
    func consume(_ name: String) async throws -> [String] {
        let result = try await muskrat("consume", "A.B", "--quiet", "--name", name)
        guard result.exitCode == 0 else { throw TestServerError("consume failed: \(result)") }
        return result.output.split(separator: "\n").map(String.init)
    }
}
