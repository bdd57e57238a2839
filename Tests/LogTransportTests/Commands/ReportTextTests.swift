import LogTransport
import Testing

@testable import LogCommands

@Suite("What a relay did, in words")
struct ReportTextTests {
    private func report() -> RelayReport {
        var report = RelayReport()
        (report.linesIn, report.linesOut, report.duration) = (12, 10, .microseconds(1_234_567))
        return report
    }

    @Test("the closing line of zmqpush has four decimals and the process's number")
    func closing() {
        #expect(
            ReportText.closing(report(), processID: 42) == "Processed 10 messages in 1234.5670ms. Tagged with @pid:42")
    }

    @Test("milliseconds are written with the decimals asked for, however short the time")
    func milliseconds() {
        #expect(ReportText.milliseconds(.zero, decimals: 4) == "0.0000")
        #expect(ReportText.milliseconds(.nanoseconds(100), decimals: 4) == "0.0001")
        #expect(ReportText.milliseconds(.nanoseconds(99), decimals: 4) == "0.0000")
        #expect(ReportText.milliseconds(.seconds(3600), decimals: 4) == "3600000.0000")
        #expect(ReportText.milliseconds(.microseconds(12_345), decimals: 1) == "12.3")
    }

    @Test("a report names what is not zero, and nothing else")
    func line() {
        var report = report()
        #expect(ReportText.line(report) == "12 lines in, 10 out in 1234.5ms")
        (report.linesCut, report.droppedOldest, report.droppedNewest) = (1, 2, 3)
        (report.damaged, report.redelivered, report.receiversLost, report.garbage) = (4, 5, 6, 7)
        (report.waiting, report.spooled, report.damagedPlaces) = (8, 9, 10)
        let line = ReportText.line(report)
        for words in [
            "1 cut", "2 old ones dropped", "3 new ones dropped", "4 lost to damage", "5 sent again", "6 receivers lost",
            "7 messages that are none", "8 waiting", "9 in the spool",
            "10 damaged places of the spool",
        ] { #expect(line.contains(", \(words)"), "\(line)") }
    }

    @Test("damage in the spool is told with what it cost, and none is not told")
    func damage() {
        var report = report()
        #expect(ReportText.damage(report) == nil)
        (report.damaged, report.damagedPlaces, report.damagedBytes) = (176, 1, 4096)
        #expect(
            ReportText.damage(report)
                == "the spool is damaged: 176 lines are lost, and 4096 bytes in 1 places were skipped; look at the disk"
        )
    }

    @Test("numbers on the terminal are in groups of three digits")
    func groups() {
        #expect([0, 999, 1000, 1_234_567].map { ReportText.grouped($0) } == ["0", "999", "1,000", "1,234,567"])
        var report = report()
        report.linesIn = 1_234_567
        #expect(ReportText.progress(report, rate: 1000) == "1,234,567 lines  1,000/s  0 waiting  0 lost")
    }

    @Test("a rate is that of the last second")
    func rate() {
        var meter = RateMeter()
        let start = ContinuousClock.now
        #expect(meter.add(0, at: start) == 0)
        #expect(meter.add(100, at: start + .milliseconds(500)) == 200)
        #expect(meter.add(100, at: start + .milliseconds(1500)) == 0)
        #expect(meter.add(100, at: start + .seconds(10)) == 0)
        #expect(meter.add(400, at: start + .seconds(11)) == 300)
    }
}
