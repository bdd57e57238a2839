import ArgumentParser
import CommandKit
import Gearman
import Glibc
import LoadBalancing

/// Who gets a request, and how their replies are shown.
struct RecipientOptions: ParsableArguments {
    @OptionGroup var servers: ServerOptions

    @Option(name: .shortAndLong, parsing: .singleValue, help: "A worker; may be repeated. (default: this host's)")
    var worker: [String] = []

    @Flag(help: "Every worker that the job servers know.")
    var all = false

    @Option(help: "How long to wait for the replies, in seconds.")
    var timeout = 60.0

    @Flag(help: "Show a table instead of JSON.")
    var table = false

    func validate() throws {
        guard worker.isEmpty || !all else { throw ValidationError("--worker and --all exclude each other") }
        guard (0.001...86_400).contains(timeout) else {
            throw ValidationError("--timeout is in seconds, more than 0 and at most 86400")
        }
    }

    /// Sends a request, prints the replies, and ends the command with the code that they call for.
    func deliver(_ request: JSONValue) async throws {
        let roster = Roster(servers: try servers.jobServers())
        let recipients =
            all ? try await roster.everybody() : try await roster.find(worker.isEmpty ? [hostName()] : worker)
        let isSingle = !all && recipients.count == 1
        var printer: any ReplyPrinter = table ? TablePrinter() : JSONPrinter(isSingle: isSingle)
        var tally = Tally()
        let progress = ProgressLine()
        let replies = try FanOut(recipients: recipients, timeout: .milliseconds(Int(timeout * 1000))).send(request)
        for await reply in replies {
            tally.count(reply)
            progress.clear()
            printer.print(reply)
            progress.update(
                "\(tally.total) of \(recipients.count) workers, \(tally.failed) failed, \(tally.silent) silent")
        }
        progress.clear()
        printer.finish()
        if let code = tally.exitCode { throw code }
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

/// This host's name: what its worker is called.
func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
