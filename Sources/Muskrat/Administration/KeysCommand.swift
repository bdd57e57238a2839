internal import ArgumentParser
internal import CommandKit
internal import MessageLog

/// `muskrat keys`: the keys that have messages.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "List the keys that there are, one a line.",
        discussion: "RabbitMQ does not tell which there are.")

    @Argument(help: "Which keys, with * for one word and # for any number.") var pattern = "#"
    @OptionGroup var place: PlaceArguments

    func run() async throws {
        let wanted = try forArguments { () throws(MessageLogError) in try RoutingPattern(pattern) }
        let broker = try place.load().openOne()
        let keys = try await forCommand { () throws(MessageLogError) in try await broker.keys(matching: wanted) }
        await broker.close()
        if keys.isEmpty { tellOfMissingKeys(wanted, at: broker) }
        Terminal.output.write(keys.map { "\($0)\n" }.joined())
    }
}
