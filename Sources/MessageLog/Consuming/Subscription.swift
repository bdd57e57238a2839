import Logging
import SystemPackage

/// What is read, on whose behalf and where: what all kinds of consumers are made from.
///
/// A pattern or a name that cannot be used is kept as its error until somebody wants to read, so that consumers can be
/// described where nothing may throw.
struct Subscription: Sendable {
    private let checked: Result<(pattern: RoutingPattern, name: ConsumerName), MessageLogError>
    private let place: Place
    /// How they are read and handled.
    let options: ConsumerOptions
    /// Where trouble is reported.
    let logger: Logger
    /// The time to go by.
    let clock: ConsumerClock

    init(
        _ pattern: String, name: String, at place: Place, options: ConsumerOptions, logger: Logger?,
        clock: ConsumerClock = .system
    ) {
        do throws(MessageLogError) {
            checked = .success((try RoutingPattern(pattern), try ConsumerName(name)))
        } catch {
            checked = .failure(error)
        }
        self.place = place
        self.options = options
        self.clock = clock
        var logger = logger ?? Logger(label: "muskrat.consumer")
        logger[metadataKey: LogKey.key] = "\(pattern)"
        logger[metadataKey: LogKey.consumer] = "\(name)"
        self.logger = logger
    }

    /// Where messages are.
    enum Place: Sendable {
        case broker(any Broker)
        /// The first broker of a configuration: what a producer sends to several, each of them has.
        case configuration(MessageLogConfiguration)

        init(_ broker: (any Broker)?, _ configuration: MessageLogConfiguration) {
            self = broker.map(Place.broker) ?? .configuration(configuration)
        }
    }

    /// The broker, and whether it was opened for whoever asks.
    ///
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    func openBroker() throws(MessageLogError) -> (broker: any Broker, isOwn: Bool) {
        switch place {
        case .broker(let broker): return (broker, false)
        case .configuration(let configuration):
            guard let url = try configuration.brokerURLs.first else {
                throw MessageLogError(.invalidArgument, "the configuration names no broker")
            }
            return (try url.open(configuration.opening(logger: logger)), true)
        }
    }

    /// Tells whether it can be used with a broker.
    ///
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    func check(with broker: any Broker) throws(MessageLogError) {
        let pattern = try checked.get().pattern
        try options.retry.check()
        guard options.commitInterval >= .zero else {
            throw MessageLogError(
                .invalidArgument, "the commit interval is \(options.commitInterval); it must not be below 0")
        }
        if let deadLetters = options.deadLetters, pattern.matches(deadLetters.key),
            deadLetters.broker == nil || deadLetters.broker?.description == broker.description
        {
            throw MessageLogError(
                .invalidArgument,
                "the dead-letter key \(deadLetters.key) matches \(pattern), so that the consumer would get its own dead "
                    + "letters; name a key that does not match")
        }
    }

    /// What is read.
    ///
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    var pattern: RoutingPattern {
        get throws(MessageLogError) { try checked.get().pattern }
    }

    /// Who reads.
    ///
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    var name: ConsumerName {
        get throws(MessageLogError) { try checked.get().name }
    }

    /// Makes a reader; one that replaces another goes on where the cursor stands.
    ///
    /// - Parameters:
    ///   - broker: Where to read.
    ///   - isAgain: Whether it replaces another.
    ///   - firstLook: Which keys there were at the beginning: one for all readers that replace one another.
    ///   - follows: Whether it is to go on without those keys of a pattern that cannot be read.
    /// - Returns: The reader.
    /// - Throws: ``MessageLogError``.
    func makeReader(
        from broker: any Broker, again isAgain: Bool, firstLook: FirstLook, follows: Bool
    ) async throws(MessageLogError) -> any MessageReader {
        let (pattern, name) = try checked.get()
        var reading = options.reading
        if isAgain { reading.ignoresCursor = false }
        reading.firstLook = firstLook
        if follows {
            reading.reportFault = { [logger] key, error in
                logger.error(
                    "a key cannot be read; the others go on without it",
                    metadata: [LogKey.key: "\(key)", LogKey.error: "\(error)"])
            }
        }
        if case .configuration(let configuration) = place, reading.cursorFolder == nil {
            reading.cursorFolder = configuration.cursorFolder?.string
        }
        return try await broker.makeReader(of: pattern, for: name, options: reading)
    }
}
