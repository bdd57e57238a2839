internal import ArgumentParser
internal import CommandKit
internal import LogCommands
internal import LogTransport
internal import Logging
internal import SystemPackage

/// `hayrack serve`: lines of standard input to all receivers that connect.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Hand lines of standard input out to the receivers that connect.",
        discussion: """
            Options override the environment (LIBRA_HAYRACK_…), which overrides the configuration file. Ends at the end of \
            its input, and at SIGTERM or SIGINT, after what came in is handed on.
            """)

    @Option(
        name: [.short, .customLong("config")],
        help: "The configuration file. (default: \(HayrackSettings.defaultFile), if it is there)")
    var config: String?
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Where to listen: tcp://HOST:PORT or ipc://PATH; may be repeated. (default: tcp://127.0.0.1:5000)",
            valueName: "endpoint"))
    var bind: [String] = []
    @Flag(help: "Leave the newline on each line.")
    var keepNewline = false
    @OptionGroup var relay: RelayArguments
    @Option(help: ArgumentHelp("The public keys of the receivers that are let in.", valueName: "file"))
    var curveAllow: String?
    @OptionGroup var logging: LoggingArguments
    @Flag(help: "Show lines, rate and losses on the terminal.")
    var progress = false

    func run() async throws {
        let settings = try loadSettings()
        let plan = try HayrackSettings.plan(settings)
        let endpoints = try HayrackSettings.endpoints(settings)
        let curve = try CurveSettings.server(
            settings, key: HayrackSettings.relay.curveKey, allow: HayrackSettings.curveAllow)
        let line = progress ? ProgressLine() : nil
        let log = try CommandLog(program: "hayrack", settings, HayrackSettings.logging, progress: line)
        if let warning = OpenBindWarning.text(endpoints, curve: curve) { log.logger.warning("\(warning)") }

        if let notice = plan.notice { log.logger.warning("\(notice)") }
        let spool = try await SpoolOpening.open(plan.spool, logger: log.logger)
        var choice = OutletChoice(plan)
        choice.bind = endpoints
        choice.curve = curve
        let form = LineForm(keepsNewline: plan.options.keepsNewline)
        let stdin = StdinRelay(
            options: plan.options, form: form, spool: spool,
            makeOutlet: choice.factory(form: form, spool: spool, logger: log.logger))
        try await RelaySession(stdin, spool: spool, log: log, progress: line).run()
    }

    private func loadSettings() throws(CommandError) -> Settings {
        var given = CommandLineValues()
        given.set(HayrackSettings.bind, to: bind, option: "--bind")
        given.set(HayrackSettings.keepNewline, ifGiven: keepNewline, option: "--keep-newline")
        given.set(HayrackSettings.curveAllow, to: curveAllow, option: "--curve-allow")
        relay.fill(HayrackSettings.relay, in: &given)
        logging.fill(HayrackSettings.logging, in: &given)
        return try HayrackSettings.schema.load(
            file: config.map { FilePath($0) } ?? HayrackSettings.defaultFile, fileMustExist: config != nil,
            commandLine: given)
    }
}
