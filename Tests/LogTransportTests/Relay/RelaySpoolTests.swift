import Glibc
import LogTransport
import Spool
import SystemPackage
import TestServers
import Testing
import ZeroMQ

@Suite struct RelaySpoolTests {
    @Test("lines wait in the spool for a peer of the next process, in order") func restart() async throws {
        try await withTemporaryFolder { folder in
            var options = RelayOptions()
            options.linger = .milliseconds(20)
            let lines = numbered(20_000)
            let first = try SpoolStand(folder + "/spool", options: options)
            await first.write(lines.map { $0 + "\n" }.joined())
            first.input.closeWriter()
            let report = try await first.report()
            #expect(report.linesIn == 20_000)
            #expect(report.waiting == 0)
            #expect(report.spooled == 20_000)

            let second = try SpoolStand(folder + "/spool")
            let peer = try Peer(connectingTo: try await second.endpoint.value())
            await second.write("new\n")
            second.input.closeWriter()
            let last = try await second.report()
            try await eventually { peer.received.count == lines.count + 1 }
            #expect(peer.received == lines + ["new"])
            #expect(last.linesOut == 20_001)
            #expect(last.spooled == 0)
            await peer.stop()
        }
    }

    @Test("a process that is killed loses no line that was confirmed") func killed() async throws {
        try await withTemporaryFolder { folder in
            // The child is killed by itself at a line of its own, while others are on the way.
            await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String] in
                var options = RelayOptions()
                options.confirms = true
                let stand = try SpoolStand(folder + "/spool", options: options)
                var confirmed = 0
                for line in numbered(100_000) {
                    await stand.write(line + "\n")
                    confirmed = stand.confirmations.text.utf8.count / 3 - 1
                    try writeText("\(confirmed)", to: folder + "/confirmed")
                    if confirmed >= 300 { kill(getpid(), SIGKILL) }
                }
            }
            let confirmed = try #require(Int(readText(folder + "/confirmed")))
            #expect(confirmed >= 300)
            let stand = try SpoolStand(folder + "/spool")
            let peer = try Peer(connectingTo: try await stand.endpoint.value())
            stand.input.closeWriter()
            let report = try await stand.report()
            #expect(report.linesOut >= UInt64(confirmed))
            try await eventually { peer.received.count == Int(report.linesOut) }
            #expect(peer.received == Array(numbered(peer.received.count)))
            await peer.stop()
        }
    }

    @Test("a full spool that drops new lines says so in the stream") func newest() async throws {
        try await withTemporaryFolder { folder in
            let stand = try SpoolStand(folder + "/spool", whenFull: .dropNewest, limit: 256 << 10)
            let address = try await stand.endpoint.value()
            let lines = numbered(20_000)
            await stand.write(lines.map { $0 + "\n" }.joined())
            try await eventually { stand.running.relay.report.linesIn == 20_000 }
            let dropped = Int(stand.running.relay.report.droppedNewest)
            #expect(dropped > 0)
            let peer = try Peer(connectingTo: address)
            let kept = lines.count - dropped
            // The note waits for room, and for no next line.
            try await eventually { noted(in: peer.received) == dropped }
            await stand.write("after\n")
            stand.input.closeWriter()
            let report = try await stand.report()
            try await eventually { peer.received.last == "after" }
            #expect(peer.received.filter { !$0.hasPrefix("libra: ") }.count == kept + 1)
            #expect(noted(in: peer.received) == dropped)
            #expect(report.linesOut == UInt64(kept + 1))
            #expect(report.droppedNewest == UInt64(dropped))
            await peer.stop()
        }
    }

    @Test("a note for which a full spool has no room to the end is for the next process, and told once")
    func newestToTheEnd() async throws {
        try await withTemporaryFolder { folder in
            var options = RelayOptions()
            options.linger = .milliseconds(20)
            let lines = numbered(5000)
            var dropped = 0
            for round in 0..<2 {
                let stand = try SpoolStand(
                    folder + "/spool", options: options, whenFull: .dropNewest, limit: 64 << 10)
                await stand.write(lines.map { $0 + "\n" }.joined())
                stand.input.closeWriter()
                let report = try await stand.report()
                dropped += Int(report.droppedNewest)
                #expect(round == 0 ? report.droppedNewest > 0 : report.droppedNewest == 5000)
            }
            let kept = 10_000 - dropped
            for expected in [dropped, 0] {
                let stand = try SpoolStand(folder + "/spool", whenFull: .dropNewest, limit: 64 << 10)
                let peer = try Peer(connectingTo: try await stand.endpoint.value())
                // The first has no new line.
                if expected == 0 { await stand.write("after\n") }
                stand.input.closeWriter()
                _ = try await stand.report()
                let count = expected == 0 ? 1 : kept + 1
                try await eventually("\(count) lines") { peer.received.count == count }
                #expect(noted(in: peer.received) == expected)
                #expect(expected == 0 ? peer.received == ["after"] : peer.received.dropLast() == lines.prefix(kept))
                await peer.stop()
            }
        }
    }

    @Test("a full spool that drops old lines says so in the stream") func oldest() async throws {
        try await withTemporaryFolder { folder in
            let stand = try SpoolStand(folder + "/spool", whenFull: .dropOldest, limit: 256 << 10)
            let address = try await stand.endpoint.value()
            let lines = numbered(50_000)
            await stand.write(lines.map { $0 + "\n" }.joined())
            try await eventually { stand.running.relay.report.linesIn == 50_000 }
            let peer = try Peer(connectingTo: address)
            stand.input.closeWriter()
            let report = try await stand.report()
            try await eventually { peer.received.last == lines.last }
            let arrived = peer.received.filter { !$0.hasPrefix("libra: ") }
            #expect(report.droppedOldest > 0)
            #expect(arrived.count + Int(report.droppedOldest) == lines.count)
            #expect(noted(in: peer.received) == Int(report.droppedOldest))
            #expect(report.linesOut == UInt64(arrived.count))
            #expect(zip(arrived, arrived.dropFirst()).allSatisfy { $0 < $1 })
            await peer.stop()
        }
    }

    @Test("a full disk makes the writer wait, and nothing is lost when there is room again") func fullDisk()
        async throws
    {
        try await withSmallDisk(kilobytes: 1024) { disk in
            let stand = try SpoolStand(disk.path + "/spool", limit: 2 << 20)
            let address = try await stand.endpoint.value()
            let lines = numbered(100_000)
            let writing = Task { await stand.write(lines.map { $0 + "\n" }.joined()) }
            try await eventually { stand.spool.counts.isDiskFull }
            let peer = try Peer(connectingTo: address)
            await writing.value
            stand.input.closeWriter()
            let report = try await stand.report()
            try await eventually { peer.received.count == lines.count }
            #expect(peer.received == lines)
            #expect(report.dropped == 0)
            await peer.stop()
        }
    }

    @Test("a spool that is full ends the relay after the linger, and what was not taken is counted")
    func fullAtEnd() async throws {
        try await withTemporaryFolder { folder in
            var options = RelayOptions()
            options.linger = .milliseconds(50)
            let stand = try SpoolStand(folder + "/spool", options: options, limit: 64 << 10)
            let lines = numbered(20_000)
            let writing = Task { await stand.write(lines.map { $0 + "\n" }.joined()) }
            try await eventually { stand.input.isFull }
            stand.running.control.stop()
            let report = try await stand.report()
            stand.input.closeReader()
            await writing.value
            #expect(report.waiting > 0)
            #expect(report.waiting + report.spooled == report.linesIn)
        }
    }

    @Test("the end of the input begins the linger when the spool is full and nobody reads", .timeLimit(.minutes(1)))
    func fullAtEndOfInput() async throws {
        try await withTemporaryFolder { folder in
            var options = RelayOptions()
            options.linger = .milliseconds(50)
            let stand = try SpoolStand(folder + "/spool", options: options, limit: 64 << 10)
            // More than the spool takes, and less than the pipe and the relay's buffer do besides.
            await stand.write(numbered(4500).map { $0 + "\n" }.joined())
            stand.input.closeWriter()
            let report = try await stand.report()
            #expect(report.linesIn == 4500)
            #expect(report.waiting > 0)
            #expect(report.waiting + report.spooled == 4500)
        }
    }

    @Test("dots go on while a full spool lets the input wait, and every line is confirmed once there is room")
    func signsOfLife() async throws {
        try await withTemporaryFolder { folder in
            var options = RelayOptions()
            options.confirms = true
            let stand = try SpoolStand(folder + "/spool", options: options, limit: 64 << 10)
            let address = try await stand.endpoint.value()
            let lines = numbered(4500)
            await stand.write(lines.map { $0 + "\n" }.joined())
            try await eventually(within: .seconds(20), "a dot") { stand.confirmations.text.contains(".") }
            let confirmed = stand.confirmations.text.split(separator: "\n").count { $0.hasSuffix("OK") }
            // What was taken before the spool was full is confirmed, and no line more.
            #expect(confirmed == 1 + Int(stand.spool.counts.waitingRecords))
            #expect(confirmed < 4500)
            let peer = try Peer(connectingTo: address)
            stand.input.closeWriter()
            let report = try await stand.report()
            #expect(report.waiting == 0 && report.linesOut == 4500)
            #expect(stand.confirmations.text.filter { $0 == "O" }.count == 4501)
            try await eventually { peer.received == lines }
            await peer.stop()
        }
    }

    @Test("lines lost to damage are counted, and the stream says how many are missing where they are missing")
    func damage() async throws {
        try await withTemporaryFolder { folder in
            let directory = folder + "/spool"
            let lines = try await fill(directory)
            let segments = try segments(in: directory)
            try #require(segments.count > 3)
            try overwrite(segments[1], with: 0)
            let (received, report) = try await drain(directory)
            #expect(report.damaged > 0 && report.damagedPlaces == 1 && report.damagedBytes > 0)
            let note = try #require(received.firstIndex { $0.hasPrefix("libra: ") })
            #expect(received[note].hasPrefix("libra: \(report.damaged) lines are missing here: "))
            #expect(Array(received[..<note]) == Array(lines[..<note]))
            #expect(Array(received[(note + 1)...]) == Array(lines[(note + Int(report.damaged))...]))
            #expect(report.linesOut + report.damaged == UInt64(lines.count))
            #expect(report.spooled == 0)
        }
    }

    @Test("lines lost at the end of a spool are counted and told, and told once", arguments: [true, false])
    func damageAtEnd(isWhole: Bool) async throws {
        try await withTemporaryFolder { folder in
            let directory = folder + "/spool"
            let lines = try await fill(directory)
            let last = try #require(try segments(in: directory).last)
            if isWhole { try overwrite(last, with: 0) } else { try overwrite(last, with: 0, from: -1) }
            let (received, report) = try await drain(directory)
            #expect(report.damaged > 0 && report.damagedPlaces == 1 && report.damagedBytes > 0)
            #expect(received.dropLast() == lines.dropLast(Int(report.damaged)))
            #expect(received.last?.hasPrefix("libra: \(report.damaged) lines are missing here: ") == true)
            #expect(report.linesOut + report.damaged == UInt64(lines.count))
            #expect(report.spooled == 0)
            let (later, next) = try await drain(directory, "new\n")
            #expect(later == ["new"] && next.damaged == 0 && next.linesOut == 1)
        }
    }

    /// Has a process leave lines in a spool, in several segments.
    private func fill(_ directory: String) async throws -> [String] {
        var options = RelayOptions()
        options.linger = .milliseconds(20)
        let lines = numbered(3000)
        let stand = try SpoolStand(directory, options: options, limit: 128 << 10)
        await stand.write(lines.map { $0 + "\n" }.joined())
        stand.input.closeWriter()
        #expect(try await stand.report().spooled == 3000)
        return lines
    }

    /// Has a process hand on what a spool has, and a text.
    private func drain(_ directory: String, _ text: String = "") async throws -> ([String], RelayReport) {
        let stand = try SpoolStand(directory, limit: 128 << 10)
        let peer = try Peer(connectingTo: try await stand.endpoint.value())
        await stand.write(text)
        stand.input.closeWriter()
        let report = try await stand.report()
        let notes = report.damaged > 0 ? 1 : 0
        try await eventually("all lines") { peer.received.count == Int(report.linesOut) + notes }
        await peer.stop()
        return (peer.received, report)
    }

    private func segments(in directory: String) throws -> [String] {
        guard let stream = opendir(directory) else { throw TestServerError("no folder \(directory)") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".segment") { names.append("\(directory)/\(name)") }
        }
        return names.sorted()
    }

    /// Makes all bytes of a file the same, or those from a place on, which is counted from the end where it is negative.
    private func overwrite(_ path: String, with byte: UInt8, from start: Int = 0) throws {
        let file = try FileDescriptor.open(FilePath(path), .readWrite)
        defer { try? file.close() }
        let size = Int(try file.seek(offset: 0, from: .end))
        let place = start < 0 ? size + start : start
        try file.writeAll(toAbsoluteOffset: Int64(place), [UInt8](repeating: byte, count: size - place))
    }

    private func noted(in lines: [String]) -> Int {
        lines.filter { $0.hasPrefix("libra: ") }.reduce(0) { $0 + (Int($1.split(separator: " ")[1]) ?? 0) }
    }
}

/// A relay with a spool and a bound socket.
final class SpoolStand: Sendable {
    let input: InputPipe
    let confirmations: OutputPipe
    let spool: Spool
    let running: RunningRelay
    let endpoint = FirstEndpoint()

    init(
        _ directory: String, options: RelayOptions = RelayOptions(), whenFull: WhenFull = .block,
        limit: Int = 64 << 20
    ) throws {
        input = try InputPipe()
        confirmations = try OutputPipe()
        spool = try Spool(SpoolOptions(directory: FilePath(directory), limit: limit, whenFull: whenFull))
        let endpoint = endpoint
        let relay = StdinRelay(
            options: options, spool: spool, input: input.reader, output: confirmations.writer
        ) { () throws(LogTransportError) in
            try SocketOutlet(bindingTo: .anyPort, highWaterMark: 100) { endpoint.set($0.description) }
        }
        running = try RunningRelay(relay)
    }

    /// Writes a text to the input, however long that takes.
    func write(_ text: String) async {
        let input = input
        await blocking { input.write(text) }
    }

    /// Waits for the end, and closes the spool.
    func report() async throws -> RelayReport {
        let report = try await running.report()
        try spool.close()
        return report
    }
}
