internal import ArgumentParser
internal import CommandKit

@main
struct ZMQPush: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "zmqpush")

    static func main() { runProgram() }
}
