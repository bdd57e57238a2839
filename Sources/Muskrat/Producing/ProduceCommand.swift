internal import ArgumentParser
internal import CommandKit
internal import MessageLog

/// `muskrat produce`: each line of standard input becomes a message.
struct ProduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "produce",
        abstract: "Store each line of standard input as a message, durably, in order.",
        discussion: """
            With several brokers each line goes to all of them; for one that is away lines wait in a local spool, and get \
            there with the next 'muskrat produce' of that key. With one broker there is a spool with --spool; without it a \
            broker that stays away for longer than --patience ends the command with 69, and it says from which line on \
            nothing is stored. It ends at the end of the input, and at SIGTERM or SIGINT, after what was read is stored.
            """)

    @Argument(
        help: "The key: words of letters, digits and _ - + = @ with dots between, such as Frontend.Customer.Signup.")
    var key: String
    @Option(
        help: ArgumentHelp(
            "How long a broker that is away is tried. (default: 1s where lines can wait in the spool, else 30s)",
            valueName: "time"))
    var patience: TimeSpan?
    @Option(
        help: ArgumentHelp(
            "Have lines wait in a spool in this folder while their broker is away, also when there is only one.",
            valueName: "folder"))
    var spool: String?
    @Flag(
        help: ArgumentHelp(
            "Print how many lines are safe, each time that there are more.",
            discussion: """
                That is the number of the last line, on standard output: all up to it are stored at each broker, or wait in \
                the spool for one that is away.
                """))
    var acknowledge = false
    @OptionGroup var place: PlaceArguments
    @OptionGroup var reporting: ReportingArguments

    func run() async throws {
        let routingKey = try forArguments { () throws(MessageLogError) in try RoutingKey(key) }
        var given = CommandLineValues()
        given.set(MuskratSettings.patience, to: patience.map { "\($0)" }, option: "--patience")
        given.set(MuskratSettings.spool, to: spool, option: "--spool")
        given.set(
            MuskratSettings.spooling, to: spool.map { _ in ProducerOptions.Spooling.always.rawValue }, option: "--spool"
        )
        let settings = try place.load(given, logger: reporting.logger)
        let lines = try LineBatches(settings.batchLimits)
        let brokers = try settings.openAll()
        let pump = try ProducePump(
            routingKey, lines, to: brokers, settings.configuration.producing, Meter(reporting),
            acknowledging: acknowledge ? Acknowledgements() : nil)
        let failure = try await untilSignalled {
            // Its cancelling ends the input; what was read still goes.
            await withTaskCancellationHandler {
                await Task { await pump.run() }.value
            } onCancel: {
                lines.stop()
            }
        }
        for broker in brokers { await broker.close() }
        for line in pump.report.lines { reporting.say(line) }
        if await lines.cutLines > 0 {
            reporting.say("\(await lines.cutLines) lines were longer than \(Message.maximumBody) bytes, and are cut")
        }
        if let failure { throw failure }
    }
}
