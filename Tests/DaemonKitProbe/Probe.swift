import ArgumentParser
import CommandKit
import DaemonKit
import Glibc
import Logging
import ServiceLifecycle
import SystemPackage

/// A daemon that does nothing but be one, for the tests.
@main struct Probe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "daemonkit-probe")

    @Option var user: String?
    @Option var group: String?
    @Option var pid: String?
    @Option var logfile: String?
    @Option var folder: [String] = []
    @Option var defaultFolder: [String] = []
    @Option var rootFolder: [String] = []
    @Option var ownFolder: [String] = []
    @Flag var nodaemon = false
    @Option var deadline = 25.0
    /// How long the last job takes, and how long it may.
    @Option var drain = 0.0
    @Option var limit = 5.0
    /// What goes wrong before the daemon is ready.
    @Option var fault: String?

    static func main() { runProgram() }

    mutating func run() async throws {
        let parent = getppid()
        let launch = DaemonLaunch.take()
        if launch == nil && !nodaemon { return try start() }
        let systemd = SystemdNotifier.takeFromEnvironment()
        let surroundings: DaemonSetup.Surroundings
        do throws(DaemonFaults) {
            surroundings = try setup().enter()
        } catch {
            throw CommandError(.cannotCreate, messages: error.faults.map(\.message))
        }
        misbehave(launch, parent)
        let destination: any LogDestination = surroundings.logFile ?? StandardErrorLog()
        let logger = Logger(label: "probe") { _ in
            LineLogHandler(program: "daemonkit-probe", to: destination, level: .debug)
        }
        let announcement = Announcement(launch: launch, systemd: systemd, drain: drain, logger: logger)
        let reopening = await LogReopening(surroundings.logFile, logger: logger)
        let group = ServiceGroup(
            daemon: [reopening, announcement, systemd], finishingWithin: .seconds(limit), logger: logger)
        try await group.run()
        logger.info("ended")
        surroundings.pidFile?.release()
    }

    private func start() throws(CommandError) {
        do throws(DaemonError) {
            try Daemon.launch(within: .milliseconds(Int(deadline * 1000)))
        } catch {
            throw CommandError(
                ExitCode(error.exitCode ?? 1), messages: error.message.isEmpty ? [] : [error.message])
        }
    }

    private func setup() -> DaemonSetup {
        var setup = DaemonSetup(program: "daemonkit-probe")
        setup.user = user
        setup.group = group
        setup.pidFile = pid.map { FilePath($0) }
        setup.logFile = logfile.map { FilePath($0) }
        setup.folders =
            folder.map { Folder(FilePath($0), purpose: "the tests", origin: "--folder") }
            + defaultFolder.map { Folder(FilePath($0), purpose: "the tests", origin: nil) }
            + rootFolder.map { Folder(FilePath($0), purpose: "the tests", origin: nil, ownership: .root) }
            + ownFolder.map { Folder(FilePath($0), purpose: "the tests", origin: "--own-folder", isExclusive: true) }
        setup.leavesFolder = !nodaemon
        return setup
    }

    private func misbehave(_ launch: DaemonLaunch?, _ parent: pid_t) {
        switch fault {
        case "exit": Glibc.exit(0)
        case "mute": Glibc.exit(9)
        case "kill": kill(getpid(), SIGKILL)
        case "trap":
            let empty: [Int] = []
            print(empty[getpid() > 0 ? 0 : 1])
        // Until nobody waits for it any more.
        case "slow": while getppid() == parent { usleep(1000) }
        case "hang": sleep(60)
        case "stubborn":
            signal(SIGTERM, SIG_IGN)
            sleep(60)
        case "heir":
            // A child that keeps standard error open must not hide that its parent has ended.
            var pid: pid_t = 0
            let words: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("3"), nil]
            posix_spawnp(&pid, "sleep", nil, nil, words, [nil])
            Glibc.exit(9)
        default: break
        }
    }
}

/// Says that the daemon is ready once signals are taken, and waits for the end.
private struct Announcement: Service {
    let launch: DaemonLaunch?
    let systemd: SystemdNotifier
    let drain: Double
    let logger: Logger

    func run() async throws {
        logger.info("ready", metadata: ["user": "\(Account.current)"])
        try launch?.ready()
        systemd.ready()
        try await gracefulShutdown()
        guard drain > 0 else { return }
        logger.info("draining")
        try? await Task.sleep(for: .seconds(drain))
    }
}
