internal import ArgumentParser
package import CommandKit
internal import DedicatedThread
internal import Glibc
package import LogTransport
internal import Logging
package import Spool

/// Runs a relay as a command does: with signals, progress on the terminal, reports, and an exit code.
package struct RelaySession: Sendable {
    private let relay: StdinRelay
    private let spool: Spool?
    private let log: CommandLog
    private let progress: ProgressLine?
    /// Puts a session together.
    ///
    /// - Parameters:
    ///   - relay: The relay, which has not run.
    ///   - spool: Its spool, which is closed at the end; nil for none.
    ///   - log: The command's log.
    ///   - progress: The line on the terminal; nil for none.
    package init(_ relay: StdinRelay, spool: Spool?, log: CommandLog, progress: ProgressLine?) {
        self.relay = relay
        self.spool = spool
        self.log = log
        self.progress = progress
    }

    /// Runs the relay to its end.
    ///
    /// SIGTERM and SIGINT end it in order, the second of them at once; SIGHUP opens the log file again; SIGUSR1 says in the
    /// log what was done so far.
    ///
    /// - Parameter last: What the command says itself at the end, also when lines are left over.
    /// - Throws: A ``CommandError``: what kept the relay from working, or lines that are left over and lost.
    package func run(last: @Sendable (RelayReport) -> Void = { _ in }) async throws(CommandError) {
        do throws(CommandError) {
            let report = try await relayed()
            try closeSpool()
            progress?.clear()
            log.logger.info("\(ReportText.line(report))")
            if let damage = ReportText.damage(report) { log.logger.warning("\(damage)") }
            last(report)
            try check(report)
        } catch {
            progress?.clear()
            log.noteEnd(error)
            throw error
        }
    }

    private func relayed() async throws(CommandError) -> RelayReport {
        do throws(LogTransportError) {
            let control = try RelayControl()
            watchSignals(control)
            let drawing = Task { await draw() }
            defer { drawing.cancel() }
            let thread = DedicatedThread(name: "relay")
            return try await thread.run { () throws(LogTransportError) in try relay.run(under: control) }
        } catch {
            throw CommandError(error)
        }
    }

    private func closeSpool() throws(CommandError) {
        do throws(SpoolError) {
            try spool?.close()
        } catch {
            throw CommandError(error)
        }
    }

    private func watchSignals(_ control: RelayControl) {
        SignalWatch { signal in
            switch signal {
            case SIGHUP: log.reopen()
            case SIGUSR1: log.answer(ReportText.line(relay.report))
            default: control.stop()
            }
        }
    }

    private func check(_ report: RelayReport) throws(CommandError) {
        guard report.waiting > 0 else { return }
        let lines = report.waiting == 1 ? "1 line is" : "\(report.waiting) lines are"
        let reason =
            spool == nil
            ? "as no peer took them in time: --linger waits longer, --spool keeps them"
            : "as the spool had no room for them in time: --linger waits longer, a higher --spool-limit keeps more"
        throw CommandError(.failure, "\(lines) left over and lost, \(reason)")
    }

    /// Draws the line on the terminal, five times a second.
    private func draw() async {
        guard let progress else { return }
        var rate = RateMeter()
        while !Task.isCancelled {
            let report = relay.report
            progress.update(ReportText.progress(report, rate: rate.add(report.linesOut, at: .now)))
            try? await Task.sleep(for: .milliseconds(200))
        }
    }
}
