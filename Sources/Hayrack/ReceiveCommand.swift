internal import ArgumentParser
internal import CommandKit
internal import Glibc
internal import LogCommands
internal import LogTransport
internal import Logging
internal import SystemPackage

/// `hayrack receive`: messages of one or more senders, a line each.
struct ReceiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receive",
        abstract: "Write the messages of senders, one a line.",
        discussion: "Connects again for ever. Ends after --count messages, or at SIGTERM or SIGINT.")

    @Argument(
        help: ArgumentHelp("The senders: tcp://HOST:PORT or ipc://PATH.", valueName: "endpoint"))
    var endpoints: [String] = []
    @Flag(help: "Listen at the endpoints for senders that connect, as zmqpush does.")
    var bind = false
    @Option(help: "How the senders deliver: push or reliable. (default: push)")
    var delivery: String?
    @Option(help: "End after this many messages.")
    var count: String?
    @Option(help: ArgumentHelp("Append to this file instead of standard output.", valueName: "file"))
    var output: String?
    @Flag(help: "Begin each line with the message's id and a tab; repeats have the same id.")
    var ids = false
    @Option(help: ArgumentHelp("The CURVE key of this side, from 'hayrack keygen'.", valueName: "file"))
    var curveKey: String?
    @Option(help: ArgumentHelp("The public key of the sender.", valueName: "file"))
    var curveServer: String?
    @Option(help: ArgumentHelp("With --bind, the public keys of the senders that are let in.", valueName: "file"))
    var curveAllow: String?
    @OptionGroup var logging: LoggingArguments
    @Flag(help: "Show messages and rate on the terminal.")
    var progress = false

    func run() async throws {
        let settings = try loadSettings()
        let options = try ReceiveSettings.options(settings, binds: bind, showsIDs: ids)
        let line = progress ? ProgressLine() : nil
        let log = try CommandLog(program: "hayrack", settings, ReceiveSettings.logging, progress: line)
        if let warning = OpenBindWarning.text(options.bind, curve: options.curve) { log.logger.warning("\(warning)") }

        let file = settings[ReceiveSettings.output]
        guard file != nil || StandardDescriptors.isWritable(STDOUT_FILENO) else {
            throw CommandError(.inputOutput, "cannot write to standard output: it is closed; --output names a file")
        }
        let stop: StopRequest
        let writer: MessageWriter
        do throws(LineOutputError) {
            stop = try StopRequest()
            if let file {
                let target = try OutputTarget(opening: file)
                writer = MessageWriter(to: target, showsIDs: ids, stop: stop, logger: log.logger)
            } else {
                writer = MessageWriter(to: .standardOutput, showsIDs: ids, stop: stop, logger: log.logger)
            }
        } catch {
            throw CommandError(.cannotCreate, "\(error)", cause: error)
        }
        let receiver: Receiver
        do throws(LogTransportError) {
            receiver = try Receiver(options, logger: log.logger)
        } catch {
            // All that it was given is from the command line.
            guard error.code == .invalidArgument else { throw CommandError(error) }
            throw CommandError(.usage, "\(error)", cause: error)
        }
        for endpoint in receiver.boundEndpoints { log.logger.info("bound to \(endpoint)") }
        warnOfUnknownHosts(in: options.connect, logger: log.logger)
        let limit = settings[ReceiveSettings.count].map { UInt64($0) }
        try await ReceiveSession(receiver, to: writer, until: stop, log: log, progress: line, limit: limit).run()
    }

    private func loadSettings() throws(CommandError) -> Settings {
        var given = CommandLineValues()
        given.set(ReceiveSettings.endpoints, to: endpoints, option: "ENDPOINT")
        given.set(ReceiveSettings.delivery, to: delivery, option: "--delivery")
        given.set(ReceiveSettings.count, to: count, option: "--count")
        given.set(ReceiveSettings.output, to: output, option: "--output")
        given.set(ReceiveSettings.curveKey, to: curveKey, option: "--curve-key")
        given.set(ReceiveSettings.curveServer, to: curveServer, option: "--curve-server")
        given.set(ReceiveSettings.curveAllow, to: curveAllow, option: "--curve-allow")
        logging.fill(ReceiveSettings.logging, in: &given)
        return try ReceiveSettings.schema.load(file: nil, environment: [:], commandLine: given)
    }
}
