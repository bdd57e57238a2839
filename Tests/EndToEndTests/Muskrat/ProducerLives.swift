import TestServers

/// A producer of lines as process after process, each but the last killed at some moment, and each going on behind what
/// the one before was told is safe.
struct ProducerLives {
    /// One of the processes.
    struct Life {
        /// What its lines begin with, which no other one's do.
        let name: String
        /// How many lines it was given.
        let given: Int
        /// How many of them it said are safe.
        let acknowledged: Int
        let isKilled: Bool

        /// The lines that it was given, from the first on.
        func lines(_ count: Int) -> [String] { (1...max(1, count)).prefix(count).map { "\(name).\($0)" } }
    }

    let number: Int
    let place: MuskratPlace

    /// How many lines are to be safe in the end.
    let lines: Int
    private static let killed = 2

    /// Runs them all.
    func run(_ random: SplitMix64) async throws -> [Life] {
        var random = random
        var lives: [Life] = []
        var left = lines
        while left > 0 {
            let mustEnd = lives.count == Self.killed
            let life = try await run(
                "\(number).\(lives.count + 1)", left,
                killedAt: mustEnd ? nil : Int.random(in: 0..<left, using: &random),
                after: .milliseconds(Int.random(in: 0...15, using: &random)),
                batch: Int.random(in: 5...20, using: &random))
            lives.append(life)
            left -= life.acknowledged
        }
        return lives
    }

    /// Runs a process.
    ///
    /// - Parameters:
    ///   - name: What its lines begin with.
    ///   - given: How many lines it is given.
    ///   - limit: How many lines are safe when it is killed; nil for one that ends by itself.
    ///   - delay: How long it goes on then.
    ///   - batch: How many lines it has together.
    /// - Returns: What became of it.
    /// - Throws: What is not to be: that it failed, or did not acknowledge what it should.
    private func run(
        _ name: String, _ given: Int, killedAt limit: Int?, after delay: Duration, batch: Int
    ) async throws -> Life {
        let (input, output) = ("\(place.stand.folder)/in-\(name)", "\(place.stand.folder)/out-\(name)")
        let whole = Life(name: name, given: given, acknowledged: given, isKilled: false)
        try writeText(whole.lines(given).map { $0 + "\n" }.joined(), to: input)
        let process = try await place.start(
            ["produce", "A.B", "--acknowledge", "--quiet"], input: input, output: output,
            adding: ["LIBRA_MUSKRAT_BATCH_COUNT": "\(batch)"])
        if let limit {
            try await eventually(within: .seconds(120), "\(limit) lines of \(name)") {
                try lastNumber(in: output) >= limit || !process.isRunning
            }
            // So that it meets each step of what a producer does.
            try await Task.sleep(for: delay)
            await process.kill()
        }
        let code = try await process.waitForExit(within: .seconds(120))
        let acknowledged = try lastNumber(in: output)
        guard code == 0 else {
            guard limit != nil, code == 128 + 9 else {
                throw TestServerError("producer \(name) ended with \(code): \(process.output)")
            }
            return Life(name: name, given: given, acknowledged: acknowledged, isKilled: true)
        }
        guard acknowledged == given else {
            throw TestServerError("producer \(name) ended with 0, and \(acknowledged) of \(given) lines are safe")
        }
        return whole
    }

    /// What a producer said last.
    private func lastNumber(in output: String) throws -> Int {
        // The last line may be half of one.
        let whole = readText(output).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return try whole.reduce(0) { before, line in
            guard let number = Int(line), number > before else {
                throw TestServerError("'\(line)' was acknowledged behind \(before)")
            }
            return number
        }
    }
}
