import ArgumentParser
import CommandKit
import DaemonKit
import SystemPackage

/// The command line of `libra_worker`.
@main
struct LibraWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "libra_worker",
        abstract: "Takes requests from Gearman job servers and makes HAProxy on this host do what they ask.",
        discussion: """
            Options override the environment (LIBRA_…), which overrides the configuration file. Defaults and all other \
            settings are in etc/sample_libra.cfg.
            """,
        version: "0.1.0")

    @Option(
        name: [.short, .customLong("config")],
        help: "The configuration file. (default: \(WorkerSettings.defaultFile), if it is there)"
    )
    var config: String?
    @Flag(name: [.short, .customLong("nodaemon")], help: "Stay in the foreground, and log to standard error.")
    var nodaemon = false
    @Flag(name: .shortAndLong, help: "Log every message, with secrets masked.")
    var debug = false
    @Flag(name: .shortAndLong, help: "Log every job.")
    var verbose = false
    @Option(name: .shortAndLong, help: "The PID file. (default: \(WorkerSettings.daemonPIDFile); none with --nodaemon)")
    var pid: String?
    @Option(
        name: [.short, .customLong("logfile")],
        help: "The log file. (default: \(WorkerSettings.daemonLogFile); none with --nodaemon)")
    var logfile: String?
    @Option(help: "The user to become; needs root.")
    var user: String?
    @Option(help: "The group to take. (default: the user's primary group)")
    var group: String?
    @Option(
        parsing: .singleValue,
        help: "A job server, HOST:PORT; may be repeated. (default: \(WorkerSettings.defaultServer))")
    var server: [String] = []
    @Option(
        name: [.customShort("s"), .customLong("reconnect-sleep"), .customLong("reconnect_sleep")],
        help: "The longest pause between attempts to reach a job server, in seconds. (default: 60)")
    var reconnectSleep: String?
    @Option(help: "The Gearman function to register. (default: this host's name)")
    var function: String?
    @Option(help: "The driver: haproxy, which is the default.")
    var driver: String?
    @Option(
        name: [.customLong("haproxy-service"), .customLong("haproxy_service")],
        help: "Who runs HAProxy: ubuntu, debian or process. (default: ubuntu)")
    var haproxyService: String?
    @Option(
        name: [.customLong("stats-poll"), .customLong("stats_poll")],
        help: "Seconds between two looks at whether what runs is what was asked for. (default: 300)")
    var statsPoll: String?

    static func main() { runProgram() }

    mutating func run() async throws {
        // Before anything else starts a thread: this and the notifier change the environment.
        let launch = DaemonLaunch.take()
        let settings = try loadSettings()
        guard settings[WorkerSettings.noDaemon] || launch != nil else { return try Self.startDaemon() }
        let notifier = SystemdNotifier.takeFromEnvironment()
        try await WorkerProcess(settings: settings, launch: launch, notifier: notifier).run()
    }

    private func loadSettings() throws(CommandError) -> Settings {
        var given = CommandLineValues()
        given.set(WorkerSettings.noDaemon, ifGiven: nodaemon, option: "--nodaemon")
        given.set(WorkerSettings.debug, ifGiven: debug, option: "--debug")
        given.set(WorkerSettings.verbose, ifGiven: verbose, option: "--verbose")
        given.set(WorkerSettings.pidFile, to: pid, option: "--pid")
        given.set(WorkerSettings.logFile, to: logfile, option: "--logfile")
        given.set(WorkerSettings.user, to: user, option: "--user")
        given.set(WorkerSettings.group, to: group, option: "--group")
        given.set(WorkerSettings.servers, to: server, option: "--server")
        given.set(WorkerSettings.reconnectSleep, to: reconnectSleep, option: "--reconnect-sleep")
        given.set(WorkerSettings.function, to: function, option: "--function")
        given.set(WorkerSettings.driver, to: driver, option: "--driver")
        given.set(WorkerSettings.service, to: haproxyService, option: "--haproxy-service")
        given.set(WorkerSettings.statsPoll, to: statsPoll, option: "--stats-poll")
        return try WorkerSettings.schema.load(
            file: config.map { FilePath($0) } ?? WorkerSettings.defaultFile, fileMustExist: config != nil,
            commandLine: given)
    }

    /// Starts this program again as a daemon; what keeps it from serving has been printed when this throws.
    private static func startDaemon() throws(CommandError) {
        do {
            try Daemon.launch()
        } catch {
            throw CommandError(
                ExitCode(error.exitCode ?? ExitCode.failure.rawValue),
                messages: error.message.isEmpty ? [] : [error.message], cause: error)
        }
    }
}
