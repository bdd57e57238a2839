import ArgumentParser
import CommandKit

/// The command line of `libra_client`.
@main
struct LibraClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "libra_client",
        abstract: "Sends requests to workers, and prints their replies.",
        discussion: """
            Exits with 0 when every worker says PASS, 1 when one says FAIL or does not answer, 69 when none answers, 64 for \
            a wrong command line, and 66 for a request that cannot be read.
            """,
        version: "0.1.0",
        subcommands: [
            SendCommand.self, UpdateCommand.self, PlanCommand.self, ArchiveCommand.self, SuspendCommand.self,
            EnableCommand.self, DeleteCommand.self, DiscoverCommand.self, StatsCommand.self, MetricsCommand.self,
            DiagnosticsCommand.self, PingCommand.self, WorkersCommand.self,
        ])

    static func main() { runProgram() }
}
