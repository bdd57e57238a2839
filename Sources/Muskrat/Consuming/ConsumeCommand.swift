internal import ArgumentParser
internal import CommandKit
internal import MessageLog

/// `muskrat consume`: the messages of a key, a line each, or handed to a program.
struct ConsumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract:
            "Print the messages of a key that have come since the last time, one a line, or hand them to a program.",
        discussion: """
            It goes on behind what a consumer of its --name has handled, and waits as long as another one of that name reads. \
            A message counts as handled when it is written, or when the program has ended with 0: it is never skipped, and \
            may come again after a crash. Without --follow it ends when there is nothing more. SIGTERM and SIGINT end it \
            after the message in hand, and a second one at once.
            """)

    @Argument(help: "The key, in which * stands for one word and # for any number: Frontend.*.Signup, Frontend.#.")
    var key: String
    @OptionGroup var place: PlaceArguments
    @OptionGroup var cursorPlace: CursorPlaceArguments
    @Option(help: "The consumer's name; consumers of different names each get every message. (default: default)")
    var name: String?
    @Flag(help: "Go on with what comes, until a signal.") var follow = false
    @Option(
        help: ArgumentHelp(
            "Where to begin while the name has no cursor for the key: \(StartPoint.words). (default: beginning)",
            valueName: "place"))
    var from: StartPoint?
    @Flag(help: "Begin at --from also when there is a cursor, whatever was handled before.") var reset = false
    @Flag(help: "Handle many messages at a time: print each lot as one JSON array, or run the program once for it.")
    var aggregate = false
    @Option(
        help: ArgumentHelp(
            "Run this program for each message, which it gets on its standard input; without a shell.",
            discussion: """
                Its words are separated by white space, outside of quotes. MUSKRAT_KEY, MUSKRAT_SEQUENCE, MUSKRAT_TIME \
                and MUSKRAT_COUNT are in its environment. When it does not end with 0 it is run again, and at last the message is put \
                aside (--dead-letters) or ends the command.
                """,
            valueName: "command"))
    var exec: String?
    @Option(help: "How often the program is run with a message at most.") var attempts = 5
    @Option(help: ArgumentHelp("Where messages go that the program fails with.", valueName: "key"))
    var deadLetters: String?
    @Flag(help: "Put the bodies of such messages aside as they are, without key, place and error.") var deadBodies =
        false
    @Flag(help: "Print each message as a JSON object with its key, sequence, time, and text or base64.") var json =
        false
    @Option(help: "Another cursor than the one of the consumer's name.") var cursor: String?
    @Flag(help: "Go on behind segments that are corrupt, and report them.") var skipCorrupt = false
    @Option(help: ArgumentHelp("How often to look for more with --follow.", valueName: "time"))
    var interval = TimeSpan(.milliseconds(250))
    @OptionGroup var reporting: ReportingArguments

    mutating func validate() throws {
        guard attempts >= 1 else { throw ValidationError("--attempts \(attempts) is not at least 1") }
        guard interval.duration > .zero else { throw ValidationError("--interval \(interval) is not above zero") }
        if reset, from == nil { throw ValidationError("--reset goes with --from, which says where to begin") }
        if let exec, CommandWords(exec) == nil { throw ValidationError("--exec '\(exec)' is no command line") }
        if exec == nil, deadLetters != nil { throw ValidationError("--dead-letters goes with --exec") }
        if deadBodies, deadLetters == nil { throw ValidationError("--dead-bodies goes with --dead-letters") }
        if exec != nil, json { throw ValidationError("--json says how messages are printed; with --exec they are not") }
    }

    func run() async throws {
        let settings = try place.load(cursorPlace.given, logger: reporting.logger)
        let options = try consumerOptions(settings)
        let name = name ?? settings.consumerName
        let meter = Meter(reporting)
        let broker = try settings.openOne()
        let printer = MessagePrinter(
            isJSON: json, asLists: aggregate, timeFormat: settings.timeFormat, meter: meter)
        let program = exec.flatMap(CommandWords.init).map {
            MessageProgram(words: $0, timeFormat: settings.timeFormat, meter: meter)
        }
        let consumer = consumer(named: name, broker, options, printer, program)
        await tellOfCursor(named: name, broker, options.reading)
        let result = try await untilSignalled(abandoning: { program?.groups.signal($0) }) { [follow, interval] in
            await caught { () throws(MessageLogError) in
                follow ? try await consumer.follow(interval: interval.duration) : try await consumer.consume()
            }
        }
        await broker.close()
        meter.clear()
        try end(result, printer)
        let parked = (try? result.get().parked) ?? 0
        reporting.say(
            "\(counted(meter.count)) of \(key) handled by '\(name)' from \(broker)"
                + (parked > 0 ? ", \(parked) put aside in \(deadLetters ?? "")" : ""))
    }

    private func consumerOptions(_ settings: PlaceSettings) throws(CommandError) -> ConsumerOptions {
        var options = ConsumerOptions(reading: settings.reading)
        if let from {
            options.reading.start = from.start
            options.reading.ignoresCursor = reset
        }
        options.reading.cursor = cursor
        options.reading.skipsCorrupt = skipCorrupt
        // Printing fails when nobody reads, and will again.
        options.retry = exec == nil ? .never : HandlerRetry(attempts: attempts)
        if let deadLetters {
            do throws(MessageLogError) {
                options.deadLetters = DeadLetters(try RoutingKey(deadLetters), form: deadBodies ? .body : .letter)
            } catch {
                throw CommandError(error)
            }
        }
        return options
    }

    /// Says that --from has no effect, where that can be known: of a key with a cursor.
    private func tellOfCursor(named name: String, _ broker: any Broker, _ reading: ReaderOptions) async {
        guard from != nil, !reset, let keeper = broker as? any CursorKeeper, let key = try? RoutingKey(key),
            let name = try? ConsumerName(reading.cursor ?? name),
            let cursor = try? await keeper.cursor(name, of: key, in: reading.cursorFolder)
        else { return }
        reporting.say(
            "'\(name)' goes on at \(cursor.next) of \(key), where its cursor stands: --from is for a name without one, and "
                + "--reset has it begin there all the same")
    }

    private func consumer(
        named name: String, _ broker: any Broker, _ options: ConsumerOptions, _ printer: MessagePrinter,
        _ program: MessageProgram?
    ) -> any MessageConsumer {
        guard let program else {
            return AggregateConsumer(
                key, name: name, broker: broker, count: aggregate ? 1000 : .max, options: options,
                logger: reporting.logger
            ) { try await printer.print($0) }
        }
        guard aggregate else {
            return Consumer(key, name: name, broker: broker, options: options, logger: reporting.logger) {
                try await program.run(with: $0)
            }
        }
        return AggregateConsumer(key, name: name, broker: broker, options: options, logger: reporting.logger) {
            try await program.run(with: $0)
        }
    }

    private func end(_ result: Result<ConsumerCounts, MessageLogError>, _ printer: MessagePrinter) throws {
        switch (printer.ending, result) {
        case (.readerGone, _): throw ExitCode.success
        case (.failed(let error), _): throw error
        case (nil, .failure(let error)) where error.code != .cancelled: throw CommandError(error)
        case (nil, _): return
        }
    }
}
