import ArgumentParser
import CommandKit
import LogTransport

/// The command line of `logcast`.
@main
struct Logcast: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logcast",
        abstract: "Watches the log broadcast of many machines, and sends to it.",
        discussion: """
            The broadcast is a fanout exchange of a RabbitMQ broker (amqp://, amqps://), or ZeroMQ without a broker (tcp://). \
            Who does not watch does not get it. Exits with 69 when no broker answers in time, and 64 for a wrong command line.
            """,
        version: "0.1.0",
        subcommands: [TailCommand.self, SendCommand.self, TopCommand.self])

    static func main() {
        StandardDescriptors.occupy()
        runProgram()
    }

    /// Says something on standard error, in one line.
    static func say(_ text: String) { Terminal.error.write("logcast: \(visibleText(text))\n") }
}
