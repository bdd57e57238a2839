internal import ArgumentParser
internal import CommandKit
internal import DaemonKit
internal import LogTransport

/// The command line of `muskrat`.
@main
struct Muskrat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "muskrat",
        abstract:
            "Keeps messages in order, for every consumer to read at its own pace, in a folder or an object store.",
        discussion: """
            A message belongs to a routing key, such as Frontend.Customer.Signup. 'muskrat produce KEY' stores each line of \
            standard input, 'muskrat consume KEY' prints what has come since the last time. Options override the \
            environment (LIBRA_MUSKRAT_…), which overrides the configuration file. Exits with 64 for a wrong command line \
            or key, 69 when a store cannot be reached, 74 when reading or writing failed, 78 for a wrong configuration, \
            credentials included, and 1 when the work itself failed.
            """,
        version: "0.1.0",
        subcommands: [
            ProduceCommand.self, ConsumeCommand.self, KeysCommand.self, CursorsCommand.self, RetainCommand.self,
            VerifyCommand.self, CopyCommand.self,
        ])

    static func main() {
        StandardDescriptors.occupy()
        Signals.ignoreBrokenPipes()
        runProgram()
    }
}
