import CivilTime
import LogBroadcast
import Logging
import Testing

@Suite struct MissedRecordsTests {
    private func record(_ seq: UInt64, pid: Int = 1, at time: Int64? = nil, machine: String = "lb-1", run: String = "")
        -> LogRecord
    {
        var record = LogRecord(
            .info, "", machine: machine, logger: "a", time: UTCTime(microseconds: time ?? Int64(seq)))
        record.seq = seq
        record.pid = pid
        record.run = run
        return record
    }

    @Test("a gap in the numbers of a process says how many are missing")
    func gap() {
        var missed = MissedRecords()
        #expect(missed.note(record(7)) == .next)
        #expect(missed.note(record(8)) == .next)
        #expect(missed.note(record(100, pid: 2)) == .next)
        #expect(missed.note(record(11)) == .after(missing: 2))
        #expect(missed.note(record(101, pid: 2)) == .next)
        #expect(missed.note(record(1, machine: "lb-2")) == .next)
    }

    @Test("a record that was sent twice is known again")
    func repeated() {
        var missed = MissedRecords()
        #expect(missed.note(record(1)) == .next)
        #expect(missed.note(record(2)) == .next)
        #expect(missed.note(record(1)) == .repeated)
        #expect(missed.note(record(2)) == .repeated)
        #expect(missed.note(record(3)) == .next)
    }

    @Test("a new process with an old one's number begins anew, also when its first records were missed")
    func restarted() {
        var missed = MissedRecords()
        #expect(missed.note(record(500)) == .next)
        #expect(missed.note(record(4, at: 1000)) == .next)
        #expect(missed.note(record(6, at: 1001)) == .after(missing: 1))
    }

    @Test("a clock that is set back hides no record and has none come twice")
    func clockSetBack() {
        var missed = MissedRecords()
        #expect(missed.note(record(1, at: 1_000, run: "a")) == .next)
        #expect(missed.note(record(2, at: 500, run: "a")) == .next)
        // Both come again.
        #expect(missed.note(record(1, at: 1_000, run: "a")) == .repeated)
        #expect(missed.note(record(2, at: 500, run: "a")) == .repeated)
        #expect(missed.note(record(3, at: 501, run: "a")) == .next)
        // A container that was started again has the number of the old one, and now an earlier time.
        #expect(missed.note(record(1, at: 10, run: "b")) == .next)
        #expect(missed.note(record(2, at: 11, run: "b")) == .next)
        #expect(missed.note(record(3, at: 501, run: "a")) == .repeated)
    }

    @Test("two that number at once under one process number are told apart")
    func twoAtOnce() {
        var missed = MissedRecords()
        for seq in 1...3 as ClosedRange<UInt64> {
            #expect(missed.note(record(seq, run: "a")) == .next)
            #expect(missed.note(record(seq, run: "b")) == .next)
        }
    }

    @Test("names that are too long to remember are not remembered")
    func longNames() {
        var missed = MissedRecords()
        let long = String(repeating: "x", count: 256)
        #expect(missed.note(record(1, machine: long)) == .next)
        #expect(missed.note(record(9, machine: long)) == .next)
        #expect(missed.note(record(9, run: long)) == .next)
        #expect(missed.note(record(9, run: long)) == .next)
    }

    @Test("no number is too large")
    func largest() {
        var missed = MissedRecords()
        #expect(missed.note(record(.max, at: 1)) == .next)
        #expect(missed.note(record(5, at: 2)) == .next)
        #expect(missed.note(record(.max, at: 3)) == .after(missing: .max - 6))
    }

    @Test("records without numbers are never missing")
    func unnumbered() {
        var missed = MissedRecords()
        #expect(missed.note(record(0)) == .next)
        #expect(missed.note(record(0)) == .next)
    }
}
