import CivilTime
import LogBroadcast
import Logging
import Testing

@Suite struct MissedRecordsTests {
    private func record(_ seq: UInt64, pid: Int = 1, at time: Int64? = nil, machine: String = "lb-1") -> LogRecord {
        var record = LogRecord(
            .info, "", machine: machine, logger: "a", time: UTCTime(microseconds: time ?? Int64(seq)))
        record.seq = seq
        record.pid = pid
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
