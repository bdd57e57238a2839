internal import ArgumentParser
internal import CommandKit
internal import Logging
internal import MessageLog
internal import SystemPackage

/// Where messages are, on the command line.
struct PlaceArguments: ParsableArguments {
    @Option(
        name: [.customShort("b"), .customLong("broker")], parsing: .singleValue,
        help: ArgumentHelp(
            """
            Where messages are: file:///PATH, s3://BUCKET/PREFIX, swift://…, amqp://USER@HOST/VHOST. (default: the \
            configuration's, else file:// in \(MessageLogFolders.standard))
            """,
            discussion: """
                Only produce takes several. A password here is seen by every user of the host: put it in the \
                configuration.
                """,
            valueName: "url"))
    var brokers: [String] = []
    @Option(help: "How messages lie in a store: log or legacy. (default: what ?layout= in the URL says, else log)")
    var layout: String?
    @Option(
        name: .shortAndLong,
        help: "The configuration file. (default: \(MuskratSettings.defaultFile), if it is there)")
    var config: String?

    /// Reads all layers of the configuration.
    ///
    /// - Parameters:
    ///   - given: What else was given on the command line.
    ///   - logger: Where brokers report.
    /// - Returns: Where messages are.
    /// - Throws: `CommandError`.
    func load(
        _ given: CommandLineValues = CommandLineValues(), logger: Logger = ReportingArguments.standardLogger
    ) throws(CommandError) -> PlaceSettings {
        var given = given
        given.set(MuskratSettings.layout, to: layout, option: "--layout")
        return try Self.load(config: config, given, brokers: brokers, logger: logger)
    }

    /// Reads all layers of the configuration.
    ///
    /// - Parameters:
    ///   - config: The configuration file; nil for the default one, if it is there.
    ///   - given: What was given on the command line.
    ///   - brokers: The brokers that were named there.
    ///   - logger: Where brokers report.
    /// - Returns: Where messages are.
    /// - Throws: `CommandError`.
    static func load(
        config: String?, _ given: CommandLineValues = CommandLineValues(), brokers: [String] = [], logger: Logger
    ) throws(CommandError) -> PlaceSettings {
        let settings = try MuskratSettings.schema.load(
            file: config.map { FilePath($0) } ?? MuskratSettings.defaultFile, fileMustExist: config != nil,
            commandLine: given)
        for warning in settings.warnings { logger.warning("\(warning)") }
        return try PlaceSettings(settings, brokers: brokers, logger: logger)
    }
}

/// Where cursors are, on the command line.
struct CursorPlaceArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Keep cursors in this folder instead of with the messages.", valueName: "folder"))
    var cursors: String?

    /// What was given.
    var given: CommandLineValues {
        var given = CommandLineValues()
        given.set(MuskratSettings.cursorType, to: cursors.map { _ in CursorPlace.file.rawValue }, option: "--cursors")
        given.set(MuskratSettings.cursorLocation, to: cursors, option: "--cursors")
        return given
    }
}
