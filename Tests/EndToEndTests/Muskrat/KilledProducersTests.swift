import Testing
import TestServers

extension EndToEnd {
    @Suite("muskrat with producers that are killed", .timeLimit(.minutes(5)))
    struct KilledProducersTests {
        private static let producers = 16
        private static let lines = 2000

        @Test("of sixteen producers, some killed, each acknowledged line is there once, in one order for all")
        func killed() async throws {
            try await withMuskrat { stand in
                let finished = try await produceAll(stand)
                #expect(!finished.isEmpty)
                #expect(finished.count < Self.producers, "nobody was killed in mid-stream")

                let got = try await stand.consume("--name", "one")
                #expect(try await stand.consume("--name", "two") == got)
                #expect(Set(got).count == got.count, "a line is there twice")
                for number in 0..<Self.producers {
                    // What a producer that was killed has stored is the beginning of what it was given.
                    let stored = got.filter { $0.hasPrefix("\(number) ") }
                    #expect(stored == Array(Self.lines(of: number).prefix(stored.count)))
                    if finished.contains(number) { #expect(stored.count == Self.lines) }
                }
                let verified = try await stand.muskrat("verify", "A.B")
                #expect(verified.exitCode == 0, "\(verified)")
            }
        }

        /// Runs all producers at once, every second of which is killed.
        ///
        /// - Returns: Those that ended with 0, which is when all their lines are acknowledged.
        private func produceAll(_ stand: MuskratStand) async throws -> Set<Int> {
            var running: [(number: Int, process: ChildProcess)] = []
            for number in 0..<Self.producers {
                let input = "\(stand.folder)/input-\(number)"
                try writeText(Self.lines(of: number).map { $0 + "\n" }.joined(), to: input)
                running.append(
                    (
                        number,
                        try await stand.start(
                            ["produce", "A.B", "--quiet"], input: input,
                            environment: ["LIBRA_MUSKRAT_BATCH_COUNT": "20"])
                    ))
            }
            let third = "\(stand.folder)/messages/A/B/log/00000000000000000003"
            try await eventually("the first segments") { exists(third) }
            for (number, process) in running where number.isMultiple(of: 2) {
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...40)))
                await process.kill()
            }
            var finished: Set<Int> = []
            for (number, process) in running where try await process.waitForExit(within: .seconds(120)) == 0 {
                finished.insert(number)
            }
            return finished
        }

        private static func lines(of producer: Int) -> [String] {
            (1...lines).map { "\(producer) line \($0)" }
        }
    }
}
