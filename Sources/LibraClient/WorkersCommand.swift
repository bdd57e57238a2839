import ArgumentParser
import CommandKit
import Gearman
import JSON
import LoadBalancing

/// `libra_client workers`: who is registered.
struct WorkersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workers", abstract: "List the workers that the job servers know.",
        discussion:
            "Prints a JSON object a line, or a table. Exits with 69 when no job server answers, and says on standard error which ones do not."
    )
    @OptionGroup var servers: ServerOptions
    @Flag(help: "Show a table instead of JSON.") var table = false

    func run() async throws {
        let output = Terminal.output
        let registrations = try await Roster(servers: try servers.jobServers()).registrations()
            .sorted { ($0.function.function, $0.server.description) < ($1.function.function, $1.server.description) }
        var drawn = Table([
            Table.Column("WORKER"), Table.Column("JOB SERVER"), Table.Column("CONNECTIONS", isRightAligned: true),
            Table.Column("JOBS", isRightAligned: true), Table.Column("RUNNING", isRightAligned: true),
        ])
        for registration in registrations {
            let function = registration.function
            guard !table else {
                drawn.append([
                    Table.Cell(function.function), Table.Cell(registration.server.description),
                    Table.Cell("\(function.workers)"), Table.Cell("\(function.jobs)"),
                    Table.Cell("\(function.running)"),
                ])
                continue
            }
            let line: JSONValue = [
                "worker": .string(function.function), "server": .string(registration.server.description),
                "connections": .number(function.workers), "jobs": .number(function.jobs),
                "running": .number(function.running),
            ]
            output.write("\(line)\n")
        }
        if table { output.write(drawn.drawn(for: output)) }
    }
}
