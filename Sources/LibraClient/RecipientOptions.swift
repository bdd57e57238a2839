import ArgumentParser
import CommandKit
import Glibc
import JSON
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
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - tablePrinter: What shows a table, when one is asked for.
    /// - Throws: The exit code that the replies call for, or ``CommandError``.
    func deliver(_ request: JSONValue, tablePrinter: any ReplyPrinter & Sendable = TablePrinter()) async throws {
        let limit = Duration.milliseconds(Int(timeout * 1000))
        let servers = try servers.jobServers()
        let roster = Roster(servers: servers, patience: min(limit, .seconds(2)))
        let recipients =
            all ? try await roster.everybody() : try await roster.find(worker.isEmpty ? [hostName()] : worker)
        let isSingle = !all && recipients.count == 1
        let desk = ReplyDesk(
            printer: table ? tablePrinter : JSONPrinter(isSingle: isSingle), expected: recipients.count)
        try await FanOut(recipients: recipients, tls: servers.tls, timeout: limit).send(request, to: desk)
        if let code = await desk.close() { throw code }
    }
}

/// This host's name: what its worker is called.
func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
