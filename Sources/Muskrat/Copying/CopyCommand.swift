internal import ArgumentParser
internal import CommandKit
internal import MessageLog

/// `muskrat copy`: messages from one broker to another.
struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: "Copy messages from one broker to another, of whatever kind and layout, in order.",
        discussion: """
            How far it is is kept at FROM as the cursor of a consumer's name that follows from TO: a copy that was \
            interrupted goes on where it was, and run again it copies what has come since. What was on its way when it was \
            killed may be copied twice. From RabbitMQ it takes what waits in the queue of that name and --key, which the \
            first copy makes: what was sent before is not there.
            """)

    @Argument(help: ArgumentHelp("The broker to copy from.", valueName: "from")) var source: String
    @Argument(help: ArgumentHelp("The broker to copy to.", valueName: "to")) var target: String
    @Option(help: "Which keys, with * for one word and # for any number.") var key = "#"
    @Option(help: "The layout at FROM: log or legacy. (default: what ?layout= in its URL says, else the configuration)")
    var fromLayout: LayoutName?
    @Option(help: "The layout at TO: log or legacy. (default: what ?layout= in its URL says, else the configuration)")
    var toLayout: LayoutName?
    @Option(help: "The consumer's name at FROM. (default: one that follows from TO)") var name: String?
    @OptionGroup var cursorPlace: CursorPlaceArguments
    @Flag(help: "Go on behind segments that are corrupt, and report them.") var skipCorrupt = false
    @Flag(help: "Leave out messages that TO cannot keep, as those of more than 8 MiB in a log, and report them.")
    var skipUnfit = false
    @Option(
        name: .shortAndLong,
        help: "The configuration file. (default: \(MuskratSettings.defaultFile), if it is there)")
    var config: String?
    @OptionGroup var reporting: ReportingArguments

    func run() async throws {
        let pattern = try forArguments { () throws(MessageLogError) in try RoutingPattern(key) }
        // Told before a connection is tried.
        guard pattern.key != nil || !source.lowercased().hasPrefix("amqp") else {
            throw CommandError(.usage, "RabbitMQ does not tell which keys there are: name one with --key")
        }
        let settings = try PlaceArguments.load(config: config, cursorPlace.given, logger: reporting.logger)
        guard let from = try settings.open(source, layout: fromLayout?.layout) as? any CopyPlace,
            let to = try settings.open(target, layout: toLayout?.layout, keepsTimes: true) as? any CopyPlace
        else { throw CommandError(.usage, "there is no copying between such brokers") }
        guard !from.isSamePlace(as: to) else {
            let other = from.description == to.description ? "" : ", which is also \(to),"
            throw CommandError(.usage, "\(from)\(other) is both what to copy from and what to copy to")
        }
        let consumer = try forArguments { () throws(MessageLogError) in
            try ConsumerName(name ?? "copy-" + fingerprint(of: to.description))
        }
        let meter = Meter(reporting)
        var options = settings.reading
        options.skipsCorrupt = skipCorrupt
        let copy = BrokerCopy(
            from: from, to: to, as: consumer, options, skipsUnfit: skipUnfit,
            maxInFlight: settings.configuration.producing.maxInFlight, meter)
        let result = try await untilSignalled {
            await caught { () throws(MessageLogError) in try await copy.run(pattern) }
        }
        await from.close()
        await to.close()
        meter.clear()
        if case .failure(let error) = result, error.code != .cancelled { throw CommandError(error) }
        reporting.say(
            "\(counted(meter.count)) copied from \(from) to \(to)"
                + (meter.leftOut > 0 ? ", \(meter.leftOut) left out" : ""))
    }
}

/// FNV-1a with 64 bits in hexadecimal digits: the same for the same text, always.
private func fingerprint(of text: String) -> String {
    String(text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 16)
}
