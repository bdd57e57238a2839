import CivilTime
import Logging
import Testing

@testable import LogBroadcast

@Suite struct RecordBufferTests {
    private func record(_ message: String) -> LogRecord {
        LogRecord(.info, message, machine: "lb-1", logger: "a", time: UTCTime(microseconds: 0))
    }

    /// All that is in a buffer now.
    private func drain(_ buffer: RecordBuffer) -> (records: [LogRecord], dropped: UInt64) {
        var all: (records: [LogRecord], dropped: UInt64) = ([], 0)
        while case let counts = buffer.counts, counts.waiting > 0 || counts.dropped > 0 {
            let batch = buffer.next()
            all.records += batch.records
            all.dropped += batch.dropped
        }
        return all
    }

    @Test("records come out in the order they came, numbered from 1")
    func order() {
        let buffer = RecordBuffer(limit: 1 << 20)
        for number in 1...1_000 { buffer.append(record("\(number)")) }
        let (records, dropped) = drain(buffer)
        #expect(records.map(\.message) == (1...1_000).map { "\($0)" })
        #expect(records.map(\.seq) == Array(1...1_000))
        #expect(dropped == 0)
    }

    @Test("each buffer has a run of its own, and all of its records have it")
    func run() {
        let buffers = [RecordBuffer(limit: 65_536), RecordBuffer(limit: 65_536)]
        let runs = buffers.map { buffer in
            for _ in 0..<3 { buffer.append(record("x")) }
            return Set(drain(buffer).records.map(\.run))
        }
        #expect(runs.allSatisfy { $0.count == 1 && $0 != [""] })
        #expect(runs[0] != runs[1])
    }

    @Test("when it is full the oldest make room, and each of them is counted")
    func dropOldest() {
        // A record of ten characters counts as 310 bytes: 211 of them fit.
        let buffer = RecordBuffer(limit: 65_536)
        for number in 0..<1_000 { buffer.append(record("number \(100 + number)")) }
        #expect(buffer.counts.waiting == 211)
        #expect(buffer.counts.bytes <= 65_536)
        #expect(buffer.counts.dropped == 789)
        let (records, dropped) = drain(buffer)
        #expect(dropped == 789)
        #expect(records.map(\.seq) == Array(790...1_000))
        #expect(buffer.counts.bytes == 0)
    }

    @Test("a record that is larger than all room is dropped, and no other for it")
    func tooLarge() {
        let buffer = RecordBuffer(limit: 65_536)
        buffer.append(record("small"))
        buffer.append(record(String(repeating: "x", count: 65_536)))
        buffer.append(record("last"))
        let (records, dropped) = drain(buffer)
        #expect(records.map(\.message) == ["small", "last"])
        #expect(records.map(\.seq) == [1, 3])
        #expect(dropped == 1)
    }

    @Test("records that are dropped all the time are told of now and then, and all by the end")
    func fewNotices() {
        let buffer = RecordBuffer(limit: 65_536)
        var told: [UInt64] = []
        for _ in 0..<50 {
            for number in 0..<300 { buffer.append(record("number \(100 + number)")) }
            told.append(buffer.next().dropped)
        }
        #expect(told.first == 89)
        #expect(told.filter { $0 > 0 }.count < 50)
        buffer.close()
        let rest = drain(buffer)
        #expect(rest.dropped > 0)
        #expect(rest.records.last?.seq == 15_000)
        let taken = 50 * RecordBuffer.batch + rest.records.count
        #expect(taken + Int(told.reduce(0, +) + rest.dropped) == 15_000)
    }

    @Test("after its end it takes nothing, gives what it has, and says which is the last")
    func close() {
        let buffer = RecordBuffer(limit: 1 << 20)
        for number in 1...(RecordBuffer.batch + 1) { buffer.append(record("\(number)")) }
        buffer.close()
        buffer.append(record("late"))
        let first = buffer.next()
        #expect(first.records.count == RecordBuffer.batch)
        #expect(!first.isLast)
        let last = buffer.next()
        #expect(last.records.count == 1)
        #expect(last.isLast)
        #expect(buffer.next().isLast)
    }

    @Test("many who log and one who sends lose nothing uncounted", arguments: [64 << 10, 64 << 20])
    func concurrency(limit: Int) async {
        let buffer = RecordBuffer(limit: limit)
        let (writers, each) = (8, 20_000)
        let reading = Task.detached {
            var (seqs, dropped): ([UInt64], UInt64) = ([], 0)
            while true {
                let batch = buffer.next()
                seqs += batch.records.map(\.seq)
                dropped += batch.dropped
                if batch.isLast { return (seqs, dropped) }
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<writers {
                group.addTask { for number in 0..<each { buffer.append(self.record("\(writer) \(number)")) } }
            }
        }
        buffer.close()
        let (seqs, dropped) = await reading.value
        #expect(seqs.count + Int(dropped) == writers * each)
        #expect(zip(seqs, seqs.dropFirst()).allSatisfy { $0 < $1 })
        #expect(seqs.last == UInt64(writers * each))
        if limit > 1 << 20 { #expect(dropped == 0) }
    }
}
