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
            there with the next 'muskrat produce' of that key. It ends at the end of the input, and at SIGTERM or SIGINT, \
            after what was read is stored.
            """)

    @Argument(
        help: "The key: words of letters, digits and _ - + = @ with dots between, such as Frontend.Customer.Signup.")
    var key: String
    @OptionGroup var place: PlaceArguments
    @OptionGroup var reporting: ReportingArguments

    func run() async throws {
        let routingKey = try forArguments { () throws(MessageLogError) in try RoutingKey(key) }
        let settings = try place.load(logger: reporting.logger)
        let lines = try LineBatches(settings.batchLimits)
        let brokers = try settings.openAll()
        let pump = try ProducePump(routingKey, lines, to: brokers, settings.configuration.producing, Meter(reporting))
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
