import Glibc
import Spool
import SystemPackage
import TestServers
import Testing

@Suite struct KillTests {
    @Test(
        "kill -9 at any moment loses nothing committed, keeps the order, and repeats at most one group",
        arguments: [
            (SyncPolicy.always, 1), (.interval(.milliseconds(5)), 1), (.interval(.milliseconds(5)), 50), (.never, 700),
        ])
    func kill(sync: SyncPolicy, group: Int) async throws {
        var random = SplitMix64.forThisRun()
        try await withTemporaryFolder { folder in
            let directory = "\(folder)/spool"
            let options = SpoolOptions(directory: FilePath(directory), limit: 1 << 20, sync: sync)
            var next: UInt64 = 1
            var lastSequence: UInt64 = 0
            for _ in 0..<25 {
                let child = try await ChildProcess.start(
                    probe, ["run", directory, sync.description, "\(next)", "\(group)"], in: folder)
                try await eventually("a record that is committed") { note("\(directory)-committed") >= next }
                try await Task.sleep(for: .microseconds(Int.random(in: 0..<30_000, using: &random)))
                await child.kill()
                #expect(child.output == "")

                let committed = note("\(directory)-committed")
                let handed = note("\(directory)-handed")
                let acknowledged = note("\(directory)-acknowledged")
                let spool = try Spool(options)
                var numbers: [UInt64] = []
                while let block = try spool.next() {
                    #expect(block.missingBefore == 0)
                    for record in block {
                        numbers.append(UInt64(record.text.number ?? 0))
                        #expect(
                            record.text.utf8.count == "\(numbers.last ?? 0) ".utf8.count
                                + Int((numbers.last ?? 0) % 300))
                        lastSequence = record.sequence
                    }
                }
                // What the reader had in hand when it was killed may come again, what it let go of may not.
                let first = numbers.first ?? handed + 1
                let last = numbers.last ?? handed
                #expect(first > acknowledged && first <= handed + 1)
                #expect(numbers == Array(first..<last + 1))
                #expect(last >= committed)
                #expect(spool.counts.corruptPlaces == 0 && spool.counts.corruptRecords == 0)
                try spool.close()
                next = last + 1
            }
            #expect(lastSequence > 0)
        }
    }

    private func note(_ path: String) -> UInt64 {
        ((try? readBytes(path)) ?? []).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
