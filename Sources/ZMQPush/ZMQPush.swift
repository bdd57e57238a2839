internal import ArgumentParser
internal import CommandKit
internal import Glibc
internal import LogCommands
internal import LogTransport
internal import Logging
internal import SystemPackage

/// The command line of `zmqpush`.
@main
struct ZMQPush: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "zmqpush",
        abstract: "Sends each line of standard input as a JSON object over ZeroMQ.",
        discussion: """
            A line becomes {"message": LINE, "type": TYPE, "@pid": PID}. Options override the environment \
            (LIBRA_ZMQPUSH_…), which overrides the configuration file. docs/zmqpush.md has examples.
            """,
        version: "0.1.0")

    @Argument(help: "What the objects have as their type. (default: syslog)")
    var type: String?
    @Option(
        name: [.short, .customLong("config")], help: ArgumentHelp("A configuration file. (default: none)"))
    var config: String?
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Where to connect: tcp://HOST:PORT or ipc://PATH; may be repeated. (default: tcp://127.0.0.1:5014)",
            valueName: "endpoint"))
    var connect: [String] = []
    @Option(help: "What becomes of a line that is not UTF-8: replace, latin1 or base64. (default: replace)")
    var encoding: String?
    @Flag(help: "Begin each message with an empty frame, as the old tool did.")
    var emptyTopic = false
    @OptionGroup var relay: RelayArguments
    @Option(help: ArgumentHelp("The public key of the receiver.", valueName: "file"))
    var curveServer: String?
    @OptionGroup var logging: LoggingArguments
    @Flag(help: "Show lines, rate and losses on the terminal.")
    var progress = false

    static func main() {
        StandardDescriptors.occupy()
        SignalWatch.hold()
        runProgram()
    }

    func run() async throws {
        let settings = try loadSettings()
        let plan = try ZMQPushSettings.plan(settings)
        let endpoints = try ZMQPushSettings.endpoints(settings)
        let curve = try CurveSettings.client(
            settings, key: ZMQPushSettings.relay.curveKey, server: ZMQPushSettings.curveServer)
        let line = progress ? ProgressLine() : nil
        let log = try CommandLog(program: "zmqpush", settings, ZMQPushSettings.logging, progress: line)

        if let notice = plan.notice { log.logger.warning("\(notice)") }
        let spool = try await SpoolOpening.open(plan.spool, logger: log.logger)
        var choice = OutletChoice(plan)
        choice.connect = endpoints
        choice.curve = curve
        choice.sendsEmptyTopic = settings[ZMQPushSettings.emptyTopic]
        let form = ZMQPushSettings.form(settings)
        let stdin = StdinRelay(
            options: plan.options, form: form, spool: spool,
            makeOutlet: choice.factory(form: form, spool: spool, logger: log.logger))
        // With --confirm, rsyslog reads standard output.
        let terminal = plan.options.confirms ? Terminal.error : Terminal.output
        try await RelaySession(stdin, spool: spool, log: log, progress: line).run { report in
            terminal.write(ReportText.closing(report, processID: getpid()) + "\n")
        }
    }

    private func loadSettings() throws(CommandError) -> Settings {
        var given = CommandLineValues()
        given.set(ZMQPushSettings.type, to: type, option: "TYPE")
        given.set(ZMQPushSettings.connect, to: connect, option: "--connect")
        given.set(ZMQPushSettings.encoding, to: encoding, option: "--encoding")
        given.set(ZMQPushSettings.emptyTopic, ifGiven: emptyTopic, option: "--empty-topic")
        given.set(ZMQPushSettings.curveServer, to: curveServer, option: "--curve-server")
        relay.fill(ZMQPushSettings.relay, in: &given)
        logging.fill(ZMQPushSettings.logging, in: &given)
        return try ZMQPushSettings.schema.load(
            file: config.map { FilePath($0) }, fileMustExist: true, commandLine: given)
    }
}
