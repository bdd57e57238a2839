import ArgumentParser
import CommandKit
import Glibc
import LogBroadcast
import Logging
import Synchronization

/// `logcast send`: a record, or one for each line of standard input.
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Broadcast a text, or each line of standard input, as a record.",
        discussion: """
            For shells and cron jobs: `backup 2>&1 | logcast send --logger backup`. Exits with 69 when no broker answers \
            in time, and says from which line on some may be missing. Lines are broadcast as they come; one of more than 512 KiB is \
            cut, and that is said.
            """)

    @OptionGroup var place: PlaceOptions
    @Option(help: "The level of the records.") var level = LevelName(.info)
    @Option(help: "The logger that the records name.") var logger = "logcast"
    @Option(help: "How many seconds the broker has to answer and to take the records, from 0.1 to 3600.")
    var timeout = 5.0
    @Argument(help: "The text; several are joined by blanks. Without any, lines are read from standard input.")
    var text: [String] = []

    mutating func validate() throws {
        guard (0.1...3600).contains(timeout) else {
            throw ValidationError("--timeout \(timeout) is not from 0.1 to 3600 seconds")
        }
    }

    func run() async throws {
        guard let url = try place.urls().first, place.url.count <= 1 else {
            throw CommandError(.usage, "send takes one --url")
        }
        let limit = Duration.seconds(timeout)
        let options = BroadcastOptions()
        let troubles = SendTroubles()
        let broadcast = try await open(url, options, troubles, within: limit)
        var progress = Progress()
        let result: Result<Void, CommandError>
        do throws(CommandError) {
            try await send(over: broadcast, limit: options.longestText, noting: &progress)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        troubles.keep()
        // Where nothing is taken any more, the time that it had for that is over.
        let unsent = await broadcast.end(within: progress.isStuck ? .zero : limit)
        var messages: [String] = []
        if progress.isStuck || unsent.count > 0 {
            let reason = troubles.kept.map { ": \($0)" } ?? ""
            messages = [complaint(at: progress.sent - unsent.fromFirst, of: progress, url) + reason]
        } else if let trouble = troubles.kept {
            Logcast.say(trouble)
        }
        if case .failure(let error) = result {
            throw CommandError(error.exitCode, messages: error.messages + messages, cause: error)
        }
        if !messages.isEmpty { throw CommandError(.unavailable, messages: messages) }
    }

    /// How far it came.
    private struct Progress {
        /// How many records were made.
        var sent = 0
        /// Whether there was no room for the next one in time.
        var isStuck = false
    }

    /// Broadcasts all there is.
    private func send(
        over broadcast: Broadcast, limit: Int, noting progress: inout Progress
    ) async throws(CommandError) {
        guard text.isEmpty else {
            let text = CutText(text.joined(separator: " "), to: limit)
            sayCut(text, "the text", to: limit)
            broadcast.send(record(text.text, by: broadcast.machine))
            progress.sent = 1
            return
        }
        let input = try StandardInputLines(limit: limit)
        while let lines = try await input.next() {
            for line in lines {
                sayCut(line, "line \(progress.sent + 1)", to: limit)
                let record = record(line.text, by: broadcast.machine)
                guard await broadcast.send(record, waitingForRoom: .seconds(timeout)) else {
                    progress.isStuck = true
                    return
                }
                progress.sent += 1
            }
        }
    }

    private func open(
        _ url: BroadcastURL, _ options: BroadcastOptions, _ troubles: SendTroubles, within limit: Duration
    ) async throws(CommandError) -> Broadcast {
        var options = options
        options.onTrouble = { troubles.say($0) }
        options.waitsForPeers = true
        do throws(LogBroadcastError) {
            let broadcast = try Broadcast(to: url.taking(.connect), options: options)
            try await broadcast.waitUntilReady(within: limit)
            troubles.show()
            return broadcast
        } catch {
            throw CommandError(error.code == .invalidArgument ? .usage : .unavailable, error.description, cause: error)
        }
    }

    private func sayCut(_ text: CutText, _ name: String, to limit: Int) {
        guard text.missing > 0 else { return }
        Logcast.say("\(name) is longer than \(limit) bytes: \(text.missing) bytes at its end are left out")
    }

    private func record(_ text: String, by machine: String) -> LogRecord {
        var record = LogRecord(level.level, text, machine: machine, logger: logger)
        record.pid = Int(getpid())
        return record
    }

    /// What to say of the lines that were not taken, the first of them after `taken` others.
    private func complaint(at taken: Int, of progress: Progress, _ url: BroadcastURL) -> String {
        guard text.isEmpty else { return "\(url) did not take the text within \(timeout) seconds" }
        let what =
            progress.isStuck
            ? "\(url) took nothing for \(timeout) seconds"
            : "\(url) did not take all of \(progress.sent) lines within \(timeout) seconds"
        let taken = max(taken, 0)
        return "\(what); line \(taken + 1) and those after it may be missing"
            + (taken > 0 ? ", all before it were taken" : "")
    }
}

/// What the broadcast says of its troubles: shown while records are sent; at the end the first is kept, as the reason why
/// something was not taken.
private final class SendTroubles: Sendable {
    private enum State {
        case opening
        case sending
        case ending(String?)
    }

    private let state = Mutex(State.opening)

    /// What was said since ``keep()``.
    var kept: String? {
        state.withLock { state in
            if case .ending(let trouble) = state { trouble } else { nil }
        }
    }

    func show() { state.withLock { $0 = .sending } }

    func keep() { state.withLock { $0 = .ending(nil) } }

    func say(_ trouble: String) {
        let isShown = state.withLock { state in
            switch state {
            case .opening: return false
            case .sending: return true
            case .ending(let first):
                state = .ending(first ?? trouble)
                return false
            }
        }
        if isShown { Logcast.say(trouble) }
    }
}
