import ArgumentParser
import CommandKit
import FoundationEssentials
import JSON
import LogBroadcast

/// `logcast tail`: what is logged now.
struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Show what is logged, a line a record, until Ctrl-C.",
        discussion: """
            What was logged before it began is not shown. It connects again for ever, and says on standard error when the \
            broadcast is gone, when it is back, and how many records were missed.
            """)

    @OptionGroup var place: PlaceOptions
    @OptionGroup var filters: FilterOptions
    @Flag(help: "Show each record as a JSON object; what is no record as {\"raw\": BASE64}.") var json = false
    @Option(help: "End after as many records were shown.") var count: UInt64?

    mutating func validate() throws {
        guard count ?? 1 > 0 else { throw ValidationError("--count 0 is not at least 1") }
    }

    func run() async throws {
        let filter = try filters.filter()
        let line = RecordLine(terminal: .output)
        let output = OutputThread()
        let viewer = try openViewer(try place.urls())
        var left = count ?? .max
        for await event in viewer {
            var bytes: [UInt8]
            switch event {
            case .record(let record) where filter.allows(record):
                bytes = json ? record.json : Array(line.text(record).utf8)
            case .record:
                continue
            case .missed(let machine, _, _) where !filter.allows(machine: machine):
                continue
            case .foreign(let body):
                guard filters.isEmpty else { continue }
                let raw: JSONValue = ["raw": .string(Data(body).base64EncodedString())]
                bytes = json ? raw.bytes() : Array(line.text(foreign: body).utf8)
            case .missed, .connected, .disconnected:
                remark(on: event)
                continue
            }
            bytes.append(UInt8(ascii: "\n"))
            try await output.write(bytes)
            left -= 1
            if left == 0 { break }
        }
        await viewer.close()
    }
}

/// Opens the broadcast for watching; says where everybody can send to it.
///
/// - Throws: `CommandError` with exit code 69.
func openViewer(_ urls: [BroadcastURL]) throws(CommandError) -> BroadcastViewer {
    do throws(LogBroadcastError) {
        let viewer = try BroadcastViewer(from: urls)
        for url in urls {
            if let warning = url.taking(.connect).openBindWarning { Logcast.say("warning: \(warning)") }
        }
        return viewer
    } catch {
        throw CommandError(error.code == .invalidArgument ? .usage : .unavailable, error.message, cause: error)
    }
}

/// Says on standard error what is no record.
func remark(on event: BroadcastEvent) {
    let text: String
    switch event {
    case .missed(let machine, let pid, let count): text = "\(machine)[\(pid)]: \(count) records missed"
    case .connected(let place): text = "watching \(place)"
    case .disconnected(let reason): text = "\(reason); trying again"
    case .record, .foreign: return
    }
    Logcast.say(text)
}
