import Glibc
import Testing
import TestServers

extension EndToEnd {
    @Suite("muskrat with a log on S3", .timeLimit(.minutes(5)))
    struct MuskratS3Tests {
        @Test("a consumer that is killed skips nothing, and another one of its name goes on within 10 s")
        func takingOver() async throws {
            try await withBucket { stand, bucket in
                let lines = numberedLines(1...20_000)
                try await produce(lines, bucket, stand)
                let (one, two) = ("\(stand.folder)/one", "\(stand.folder)/two")
                let follow = ["consume", "A.B", "--broker", bucket.url, "--follow", "--interval", "50ms"]
                let first = try await stand.start(follow, output: one, environment: bucket.environment)
                try await eventually("some output") { fileSize(one) > 1000 }
                let second = try await stand.start(follow, output: two, environment: bucket.environment)
                try await produce(["more"], bucket, stand)
                try await eventually("what comes later") { readText(one).hasSuffix("more\n") }
                #expect(fileSize(two) == 0)
                let killed = ContinuousClock.now
                await first.kill()
                try await produce(["last"], bucket, stand)
                try await eventually(within: .seconds(60), "the last line") { readText(two).hasSuffix("last\n") }
                // The rest is for a machine that has other things to do.
                #expect(killed.duration(to: .now) < .seconds(10) + .seconds(10))
                second.signal(SIGTERM)
                #expect(try await second.waitForExit() == 0, "\(second.output)")
                let seen = (readText(one) + readText(two)).split(separator: "\n").map(String.init)
                #expect(Set(seen) == Set(lines + ["more", "last"]))
            }
        }

        @Test("a consumer that is killed in the middle skips nothing")
        func killed() async throws {
            try await withBucket { stand, bucket in
                let lines = numberedLines(1...200_000)
                try await produce(lines, bucket, stand)
                let out = "\(stand.folder)/out"
                let consume = ["consume", "A.B", "--broker", bucket.url]
                let consumer = try await stand.start(consume, output: out, environment: bucket.environment)
                let target = Int.random(in: 0...2_000_000)
                try await eventually("some output") { fileSize(out) >= target || !consumer.isRunning }
                await consumer.kill()
                let rest = try await stand.muskrat(consume, environment: bucket.environment)
                #expect(rest.exitCode == 0, "\(rest.complaints)")
                let again = rest.output.split(separator: "\n").map(String.init)
                var seen = Set(readText(out).split(separator: "\n").map(String.init))
                seen.formUnion(again)
                #expect(Set(lines).subtracting(seen).isEmpty)
                // What comes again goes on to the end in order.
                if let first = again.first, let place = lines.firstIndex(of: first) {
                    #expect(again == Array(lines[place...]))
                }
            }
        }

        @Test("of a store that is down for a minute nothing is lost, and the order is kept, with a spool and without")
        func minute() async throws {
            try await withSeaweedFS { server in
                try await withMuskrat { stand in
                    let url = "s3://\(server.login.bucket)/log?endpoint=\(server.login.endpoint)&path-style=true"
                    let place = MuskratPlace(stand: stand, broker: url, environment: server.login.environment)
                    let out = "\(stand.folder)/followed"
                    let consumer = try await place.start(
                        ["consume", "A.B", "--quiet", "--name", "followed", "--follow", "--interval", "50ms"],
                        output: out)
                    let spool = ["--spool", "\(stand.folder)/spool"]
                    let producers = [["--patience", "5m"], spool].map {
                        ["produce", "A.B", "--acknowledge", "--quiet"] + $0
                    }
                    var inputs: [HeldInput] = []
                    var running: [ChildProcess] = []
                    for (number, arguments) in producers.enumerated() {
                        let input = try HeldInput(in: stand.folder)
                        inputs.append(input)
                        running.append(
                            try await place.start(
                                arguments, input: input.path, output: "\(stand.folder)/safe-\(number)"))
                    }
                    func safe(_ number: Int) -> Int {
                        readText("\(stand.folder)/safe-\(number)").split(separator: "\n").last.flatMap { Int($0) } ?? 0
                    }
                    func write(_ range: ClosedRange<Int>) {
                        for (number, input) in inputs.enumerated() {
                            input.write(range.map { "\(number) line \($0)\n" }.joined())
                        }
                    }
                    write(1...20)
                    try await eventually("the first lines") { safe(0) == 20 && safe(1) == 20 }

                    await server.kill()
                    let killed = ContinuousClock.now
                    for second in 1...60 {
                        write(second * 20 + 1...second * 20 + 20)
                        try await Task.sleep(until: killed + .seconds(second))
                    }
                    try await eventually("all lines that can wait in the spool") { safe(1) == 1220 }
                    #expect(safe(0) == 20, "lines were acknowledged that no store can have")
                    try await server.start()
                    write(1221...1240)
                    try await eventually(within: .seconds(60), "the last lines") { safe(0) == 1240 && safe(1) == 1240 }
                    for (input, producer) in zip(inputs, running) {
                        // A FIFO that this process has open for reading, too, is at its end only with a signal.
                        #expect(input.waiting == 0)
                        producer.signal(SIGTERM)
                        #expect(try await producer.waitForExit(within: .seconds(60)) == 0, "\(producer.output)")
                    }
                    try await eventually(within: .seconds(60), "all lines for a consumer that followed") {
                        // What waits in the spool goes with the next producer that has it.
                        _ = try await place.muskrat(["produce", "A.B", "--quiet"] + spool)
                        return readText(out).split(separator: "\n").count >= 2480
                    }
                    consumer.signal(SIGTERM)
                    #expect(try await consumer.waitForExit() == 0, "\(consumer.output)")
                    let got = readText(out).split(separator: "\n").map(String.init)
                    #expect(try await place.consume("new") == got)
                    for number in 0...1 {
                        #expect(got.filter { $0.hasPrefix("\(number) ") } == (1...1240).map { "\(number) line \($0)" })
                    }
                }
            }
        }

        @Test("a log is verified, and copied to a folder and back")
        func copy() async throws {
            try await withBucket { stand, bucket in
                try await produce(numberedLines(1...5_000), bucket, stand)
                let verified = try await stand.muskrat(
                    "verify", "--broker", bucket.url, environment: bucket.environment)
                #expect(verified.exitCode == 0, "\(verified)")
                let there = try await stand.muskrat(
                    "copy", bucket.url, stand.broker, environment: bucket.environment)
                #expect(there.exitCode == 0, "\(there)")
                #expect(try await stand.consume() == numberedLines(1...5_000))
                let back = bucket.url.replacing("/log?", with: "/back?")
                let again = try await stand.muskrat("copy", stand.broker, back, environment: bucket.environment)
                #expect(again.exitCode == 0, "\(again)")
                let read = try await stand.muskrat(
                    "consume", "A.B", "--broker", back, "--name", "new", environment: bucket.environment)
                #expect(read.output == numberedLines(1...5_000).map { $0 + "\n" }.joined())
            }
        }

        /// A place in a bucket, and how to get there.
        private struct Bucket {
            let url: String
            let environment: [String: String]
        }

        private func withBucket(_ body: (MuskratStand, Bucket) async throws -> Void) async throws {
            try await withSeaweedFS { server in
                try await withMuskrat { stand in
                    let url = "s3://\(server.login.bucket)/log?endpoint=\(server.login.endpoint)&path-style=true"
                    try await body(stand, Bucket(url: url, environment: server.login.environment))
                }
            }
        }

        private func produce(_ lines: [String], _ bucket: Bucket, _ stand: MuskratStand) async throws {
            let result = try await stand.muskrat(
                "produce", "A.B", "--broker", bucket.url, "--quiet", input: lines.map { $0 + "\n" }.joined(),
                environment: bucket.environment)
            guard result.exitCode == 0 else { throw TestServerError("produce failed: \(result)") }
        }
    }
}
