internal import ArgumentParser
internal import CommandKit
internal import LogCommands
internal import LogTransport

/// The command line of `hayrack`.
@main
struct Hayrack: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hayrack",
        abstract: "Takes log lines from standard input to any number of receivers over ZeroMQ.",
        discussion: """
            'hayrack serve' binds and hands lines out; 'hayrack receive' connects and writes what it gets. docs/hayrack.md \
            has examples for rsyslog and syslog-ng.
            """,
        version: "0.1.0",
        subcommands: [ServeCommand.self, ReceiveCommand.self, KeygenCommand.self])

    static func main() {
        StandardDescriptors.occupy()
        SignalWatch.hold()
        runProgram()
    }
}
