package import LogTransport

/// What a relay did, in words.
package enum ReportText {
    /// One line with what came in and left, and of all else what is not zero.
    ///
    /// - Parameter report: The relay's report.
    /// - Returns: The line, without its line feed.
    package static func line(_ report: RelayReport) -> String {
        let more = [
            (report.linesCut, "cut"), (report.droppedOldest, "old ones dropped"),
            (report.droppedNewest, "new ones dropped"), (report.damaged, "lost to damage in the spool"),
            (report.damagedPlaces, "damaged places of the spool skipped"), (report.redelivered, "sent again"),
            (report.receiversLost, "receivers lost"),
            (report.garbage, "messages that are none of the protocol"), (report.waiting, "waiting"),
            (report.spooled, "in the spool"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        let time = milliseconds(report.duration, decimals: 1)
        let first = "\(report.linesIn) lines in, \(report.linesOut) out in \(time)ms"
        return ([first] + more).joined(separator: ", ")
    }

    /// What is to be said of damage in the spool; nil where there was none.
    ///
    /// - Parameter report: The relay's report.
    /// - Returns: One line, without its line feed.
    package static func damage(_ report: RelayReport) -> String? {
        guard report.damaged > 0 || report.damagedPlaces > 0 else { return nil }
        return "the spool is damaged: \(report.damaged) lines are lost, and \(report.damagedBytes) bytes in "
            + "\(report.damagedPlaces) places were skipped; look at the disk"
    }

    /// The last line of `zmqpush`: `Processed N messages in X.XXXXms. Tagged with @pid:PID`.
    ///
    /// - Parameters:
    ///   - report: The relay's report.
    ///   - processID: What the messages carry as `@pid`.
    /// - Returns: The line, without its line feed.
    package static func closing(_ report: RelayReport, processID: Int32) -> String {
        "Processed \(report.linesOut) messages in \(milliseconds(report.duration, decimals: 4))ms. "
            + "Tagged with @pid:\(processID)"
    }

    /// What the line on the terminal says while lines travel.
    ///
    /// - Parameters:
    ///   - report: What was done so far.
    ///   - rate: How many lines left in the last second.
    /// - Returns: The line, without control characters.
    package static func progress(_ report: RelayReport, rate: UInt64) -> String {
        var parts = [
            "\(grouped(report.linesIn)) lines", "\(grouped(rate))/s", "\(grouped(report.waiting)) waiting",
        ]
        if report.spooled > 0 { parts.append("\(grouped(report.spooled)) in the spool") }
        parts.append("\(grouped(report.dropped + report.damaged)) lost")
        return parts.joined(separator: "  ")
    }

    /// A duration in milliseconds with a point and decimals, in any locale.
    static func milliseconds(_ duration: Duration, decimals: Int) -> String {
        var unit: Int64 = 1_000_000_000_000_000
        for _ in 0..<decimals { unit /= 10 }
        let perSecond = 1_000_000_000_000_000_000 / unit
        let (seconds, rest) = duration.components
        let number = seconds * perSecond + rest / unit
        let digits = String(number)
        let padded = String(repeating: "0", count: max(decimals + 1 - digits.count, 0)) + digits
        return "\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
    }

    /// A number with a comma between groups of three digits.
    static func grouped(_ number: UInt64) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0 && index.isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
