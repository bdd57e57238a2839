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
            in time, and says how many lines were not sent. Lines are broadcast as they come; one of more than 512 KiB is \
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
        do throws(CommandError) {
            let sent = try await send(over: broadcast, to: url, limit: options.longestText)
            troubles.isShown.store(false, ordering: .relaxed)
            let left = await broadcast.shutdown(within: limit)
            if left > 0 { throw notTaken(left, of: sent, url) }
        } catch {
            troubles.isShown.store(false, ordering: .relaxed)
            await broadcast.shutdown(within: .zero)
            throw error
        }
    }

    /// Broadcasts all there is.
    ///
    /// - Returns: How many records there were.
    private func send(
        over broadcast: Broadcast, to url: BroadcastURL, limit: Int
    ) async throws(CommandError) -> Int {
        guard text.isEmpty else {
            let text = CutText(text.joined(separator: " "), to: limit)
            sayCut(text, "the text", to: limit)
            broadcast.send(record(text.text, by: broadcast.machine))
            return 1
        }
        let input = try StandardInputLines(limit: limit)
        var sent = 0
        while let lines = try await input.next() {
            for line in lines {
                sayCut(line, "line \(sent + 1)", to: limit)
                let record = record(line.text, by: broadcast.machine)
                guard await broadcast.send(record, waitingForRoom: .seconds(timeout)) else {
                    throw CommandError(
                        .unavailable,
                        "\(url) took nothing for \(timeout) seconds; line \(sent + 1) and those after it are not sent")
                }
                sent += 1
            }
        }
        return sent
    }

    private func open(
        _ url: BroadcastURL, _ options: BroadcastOptions, _ troubles: SendTroubles, within limit: Duration
    ) async throws(CommandError) -> Broadcast {
        var options = options
        options.onTrouble = { troubles.say($0) }
        do throws(LogBroadcastError) {
            let broadcast = try Broadcast(to: url.taking(.connect), options: options)
            try await broadcast.waitUntilReady(within: limit)
            troubles.isShown.store(true, ordering: .relaxed)
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

    private func notTaken(_ left: Int, of sent: Int, _ url: BroadcastURL) -> CommandError {
        CommandError(.unavailable, "\(url) did not take \(left) of \(sent) records within \(timeout) seconds")
    }
}

/// What the broadcast says of its troubles: shown while records are sent; the error that ends the command says the rest.
private final class SendTroubles: Sendable {
    let isShown = Atomic(false)

    func say(_ trouble: String) {
        if isShown.load(ordering: .relaxed) { Logcast.say(trouble) }
    }
}
