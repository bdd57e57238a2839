internal import ArgumentParser
package import CommandKit
internal import Glibc
package import LogTransport
internal import Logging

/// Receives and writes as a command does: with signals, progress on the terminal, and an exit code.
package struct ReceiveSession: Sendable {
    private let receiver: Receiver
    private let writer: MessageWriter
    private let stop: StopRequest
    private let log: CommandLog
    private let progress: ProgressLine?
    private let limit: UInt64?

    /// Puts a session together.
    ///
    /// - Parameters:
    ///   - receiver: The receiver.
    ///   - writer: Where messages go.
    ///   - stop: The writer's.
    ///   - log: The command's log.
    ///   - progress: The line on the terminal; nil for none.
    ///   - limit: After how many messages to end; nil for never.
    package init(
        _ receiver: Receiver, to writer: MessageWriter, until stop: StopRequest, log: CommandLog,
        progress: ProgressLine?, limit: UInt64?
    ) {
        self.receiver = receiver
        self.writer = writer
        self.stop = stop
        self.log = log
        self.progress = progress
        self.limit = limit
    }

    /// Receives until there were as many messages as wanted, or SIGTERM or SIGINT comes.
    ///
    /// The first of these lets what was received be written, for five seconds at most; the second ends it at once. SIGHUP
    /// opens the output and the log again; SIGUSR1 says in the log what was done so far.
    ///
    /// - Throws: A ``CommandError``: what kept it from receiving or writing.
    package func run() async throws(CommandError) {
        let receiving = Task { await received() }
        let drawing = Task { await draw() }
        SignalWatch { signal in
            switch signal {
            case SIGHUP:
                log.reopen()
                Task { await writer.reopen() }
            case SIGUSR1: log.answer(summary)
            default:
                stop.stop()
                receiving.cancel()
            }
        }
        let result = await receiving.value
        await receiver.close()
        drawing.cancel()
        progress?.clear()
        log.logger.debug("\(summary)")
        if case .failure(let error) = result {
            log.noteEnd(error)
            throw error
        }
    }

    private var summary: String {
        let garbage = receiver.garbage
        return "\(writer.count) messages written" + (garbage > 0 ? ", \(garbage) that are none of the protocol" : "")
    }

    private func received() async -> Result<Void, CommandError> {
        do {
            while !stop.isStopping {
                let left = limit.map { $0 - min($0, writer.count) }
                if left == 0 { break }
                guard let batch = try await receiver.nextBatch() else { break }
                let done = try await writer.write(batch, atMost: left)
                receiver.processed(batch, lines: done)
            }
            return .success(())
        } catch let error as LogTransportError {
            return .failure(CommandError(error))
        } catch {
            return .failure(CommandError(.inputOutput, "\(error)", cause: error))
        }
    }

    /// Draws the line on the terminal, five times a second.
    private func draw() async {
        guard let progress else { return }
        var rate = RateMeter()
        while !Task.isCancelled {
            let count = writer.count
            let speed = rate.add(count, at: .now)
            progress.update("\(ReportText.grouped(count)) messages  \(ReportText.grouped(speed))/s")
            try? await Task.sleep(for: .milliseconds(200))
        }
    }
}
