internal import ArgumentParser
internal import CommandKit

@main
struct Hayrack: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "hayrack")

    static func main() { runProgram() }
}
