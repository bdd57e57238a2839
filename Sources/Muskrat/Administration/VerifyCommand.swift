internal import ArgumentParser
internal import CommandKit
internal import MessageLog

/// `muskrat verify`: every checksum and number of a log.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every segment, and check every checksum and number.",
        discussion: """
            Prints a line for each key, and before it one for each fault. Ends with 1 when messages are lost or cannot be \
            read; what is only untidy is a remark.
            """)

    @Argument(help: "Which keys, with * for one word and # for any number.") var pattern = "#"
    @OptionGroup var place: PlaceArguments
    @Flag(help: "Show segments and messages on the terminal.") var progress = false

    func run() async throws {
        let keys = try LogKeys(pattern, place, for: "verify")
        let line = progress ? ProgressLine() : nil
        let serious = try await untilSignalled {
            try await forCommand { () throws(MessageLogError) in
                var serious = 0
                for key in try await keys.all() { serious += try await verify(key, in: keys.log, line) }
                return serious
            }
        }
        await keys.log.close()
        if serious > 0 { throw CommandError(.failure, "\(serious) \(serious == 1 ? "fault" : "faults") found") }
    }

    private func verify(
        _ key: RoutingKey, in log: LogBroker, _ line: ProgressLine?
    ) async throws(MessageLogError) -> Int {
        let report = try await log.verify(key) { report in
            line?.update(
                "\(key): \(report.segments) of \(report.expectedSegments) segments, \(report.messages) messages")
        } finding: { finding in
            line?.clear()
            Terminal.output.write("\(key): \(finding.isSerious ? "FAULT" : "remark"): \(visibleText("\(finding)"))\n")
        }
        line?.clear()
        Terminal.output.write(
            "\(key): \(counted(report.messages)) in \(counted(report.segments, "segment")), "
                + "\(counted(report.bytes, "byte")), \(counted(report.seriousFindings, "fault")), "
                + "\(counted(report.otherFindings, "remark"))\n")
        return report.seriousFindings
    }
}
