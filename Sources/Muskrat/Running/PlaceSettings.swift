internal import CivilTime
internal import CommandKit
internal import Logging
internal import MessageLog
internal import SystemPackage

/// Where messages are, and how they are gathered: the settings as values that can be used.
struct PlaceSettings: Sendable {
    /// What the library is set to.
    let configuration: MessageLogConfiguration
    /// The name of a consumer that gives none.
    let consumerName: String
    /// How times are written in JSON and in the environment of programs; nil for RFC 3339.
    let timeFormat: TimeFormat?
    /// How large a batch of lines becomes.
    let batchLimits: LineBatches.Limits
    /// Whether brokers were named on the command line.
    private let isFromCommandLine: Bool
    /// The layout that the command line asks for.
    private let givenLayout: BrokerLayout?
    private let urls: [BrokerURL]

    /// Where brokers report.
    private let logger: Logger

    /// Puts the settings together.
    ///
    /// - Parameters:
    ///   - settings: All layers of the configuration.
    ///   - brokers: The URLs of the command line, in place of those of the configuration where there is one.
    ///   - logger: Where brokers report.
    /// - Throws: `CommandError`: `.usage` for a broker on the command line that is none, else `.configuration`.
    init(_ settings: Settings, brokers: [String], logger: Logger) throws(CommandError) {
        self.logger = logger
        isFromCommandLine = !brokers.isEmpty
        let origin = isFromCommandLine ? "--broker" : settings.origin(of: MuskratSettings.brokers)
        var configuration = MessageLogConfiguration()
        configuration.brokers =
            isFromCommandLine
            ? brokers
            : settings[MuskratSettings.brokers]?.reveal().split(whereSeparator: \.isWhitespace).map(String.init) ?? []
        configuration.layout = settings[MuskratSettings.layout]
        let isLayoutGiven = settings.origin(of: MuskratSettings.layout)?.hasPrefix("--") == true
        givenLayout = isLayoutGiven ? configuration.layout : nil
        configuration.s3Key = settings[MuskratSettings.s3Key]?.reveal()
        configuration.s3Secret = settings[MuskratSettings.s3Secret]?.reveal()
        configuration.s3Bucket = settings[MuskratSettings.s3Bucket]
        configuration.s3Prefix = settings[MuskratSettings.s3Prefix]
        configuration.s3Host = settings[MuskratSettings.s3Host]
        configuration.s3Region = settings[MuskratSettings.s3Region]
        configuration.s3PathStyle = settings[MuskratSettings.s3PathStyle]
        configuration.s3AuthorityFile = settings[MuskratSettings.s3AuthorityFile]
        configuration.s3TimestampFormat = settings[MuskratSettings.s3TimestampFormat]
        if settings[MuskratSettings.cursorType] == .file {
            configuration.cursorFolder =
                settings[MuskratSettings.cursorLocation] ?? MessageLogFolders.standard.appending("cursors")
        }
        configuration.host = settings[MuskratSettings.host]
        configuration.exchangeName = settings[MuskratSettings.exchangeName]
        configuration.producing = Self.producing(settings, logger)
        self.configuration = configuration
        consumerName = settings[MuskratSettings.name]
        timeFormat = settings[MuskratSettings.timeFormat]
        batchLimits = LineBatches.Limits(
            bytes: settings[MuskratSettings.batchBytes].bytes, count: settings[MuskratSettings.batchCount],
            interval: settings[MuskratSettings.batchInterval].duration)
        do throws(MessageLogError) {
            urls = try configuration.brokerURLs
        } catch {
            throw CommandError(
                isFromCommandLine ? .usage : .configuration, (origin.map { "\($0): " } ?? "") + error.message,
                cause: error)
        }
    }

    /// How a consumer reads that was told nothing else.
    var reading: ReaderOptions { configuration.reading }

    /// Opens all brokers.
    func openAll() throws(CommandError) -> [any Broker] {
        var opened: [any Broker] = []
        for url in urls { opened.append(try open(url)) }
        return opened
    }

    /// Opens the only broker that was named on the command line, or the first that is configured.
    func openOne() throws(CommandError) -> any Broker {
        if isFromCommandLine, urls.count > 1 {
            throw CommandError(.usage, "--broker is given \(urls.count) times: messages come from one")
        }
        return try open(urls[0])
    }

    /// Opens a broker that stands on the command line.
    ///
    /// - Parameters:
    ///   - text: Its URL.
    ///   - layout: How messages lie there; nil for what its URL says, or the configuration.
    ///   - keepsTimes: Whether messages of the legacy layout are named after their own times.
    /// - Returns: The broker.
    /// - Throws: `CommandError`.
    func open(_ text: String, layout: BrokerLayout?, keepsTimes: Bool = false) throws(CommandError) -> any Broker {
        let url = try forArguments { () throws(MessageLogError) in try BrokerURL(text) }
        return try open(url, layout: layout, keepsTimes: keepsTimes)
    }

    private func open(
        _ url: BrokerURL, layout: BrokerLayout? = nil, keepsTimes: Bool = false
    ) throws(CommandError) -> any Broker {
        let asked = layout ?? givenLayout
        if let asked, let named = url.layout, asked != named {
            throw CommandError(
                .usage, "the layout \(asked) is asked for, and \(url) says layout=\(named): leave one of them out")
        }
        do throws(MessageLogError) {
            var opening = try configuration.opening(logger: logger)
            if let asked { opening.layout = asked }
            opening.legacy.keepsTimes = keepsTimes
            return try url.open(opening)
        } catch {
            throw CommandError(.configuration, error.description, cause: error)
        }
    }

    private static func producing(_ settings: Settings, _ logger: Logger) -> ProducerOptions {
        var options = ProducerOptions(logger: logger)
        options.batching.bytes = settings[MuskratSettings.batchBytes].bytes
        // One that is on its way, one that is next, one that is being filled.
        options.bufferBytes = max(3 * options.batching.bytes, 1 << 20)
        options.maxInFlight = settings[MuskratSettings.maxInFlight]
        options.patience = settings[MuskratSettings.patience]?.duration
        options.spooling = settings[MuskratSettings.spooling]
        if let folder = settings[MuskratSettings.spool] { options.spoolFolder = folder }
        options.spoolLimit = settings[MuskratSettings.spoolLimit].bytes
        options.timeFormat = settings[MuskratSettings.timeFormat] ?? options.timeFormat
        return options
    }
}
