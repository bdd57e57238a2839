import ArgumentParser
import CommandKit
import JSON
import LoadBalancing

/// Shows and counts the replies as they come.
actor ReplyDesk {
    private var printer: any ReplyPrinter & Sendable
    private let expected: Int
    private let progress = ProgressLine()
    private var tally = Tally()

    init(printer: any ReplyPrinter & Sendable, expected: Int) {
        self.printer = printer
        self.expected = expected
    }

    func take(_ reply: WorkerReply) {
        tally.count(reply)
        progress.clear()
        printer.print(reply)
        guard expected > 1 else { return }
        progress.update("\(tally.total) of \(expected) workers, \(tally.failed) failed, \(tally.silent) silent")
    }

    /// Shows what was kept until all replies were there.
    ///
    /// - Returns: What the command ends with; nil for 0.
    func close() -> ExitCode? {
        progress.clear()
        printer.finish()
        return tally.exitCode
    }
}

/// How the workers answered.
struct Tally {
    private(set) var passed = 0
    private(set) var failed = 0
    private(set) var silent = 0
    var total: Int { passed + failed + silent }

    mutating func count(_ reply: WorkerReply) {
        switch reply.outcome {
        case .answered(let value) where value["hpcs_response"]?.string == "PASS": passed += 1
        case .answered: failed += 1
        case .silent: silent += 1
        }
    }

    /// What the command ends with; nil for 0.
    var exitCode: ExitCode? {
        if failed == 0 && silent == 0 && passed > 0 { return nil }
        return passed == 0 && failed == 0 ? .unavailable : .failure
    }
}
