import ArgumentParser
import CommandKit
import DaemonKit
import Gearman
import Glibc
import HAProxy
import LoadBalancing
import LoadBalancingHAProxy
import LogBroadcast
import Logging
import MessageLog
import ServiceLifecycle
import SystemPackage

/// The worker itself: puts the parts together and runs them.
struct WorkerProcess {
    let settings: Settings
    let launch: DaemonLaunch?
    let notifier: SystemdNotifier

    /// How long the jobs in hand may take after SIGTERM.
    private static let finishingLimit = Duration.seconds(60)

    /// How long the last log records may take to the broadcast.
    private static let lastRecordsLimit = Duration.seconds(2)

    /// How long the last events may take to a broker or into the spool.
    private static let lastEventsLimit = Duration.seconds(5)

    func run() async throws {
        let surroundings = try enter()
        defer { surroundings.pidFile?.release() }
        let destination: any LogDestination = surroundings.logFile ?? StandardErrorLog()
        let broadcast = try makeBroadcast(destination)
        let logger = makeLogger(destination, broadcast)
        for warning in settings.warnings { logger.warning("\(warning)") }
        if let warning = broadcast?.openBindWarning { logger.warning("[broadcast] url: \(warning)") }
        let reopening = await LogReopening(surroundings.logFile, logger: logger)

        let events = try makeEvents(logger)
        let driver = try await makeDriver(logger, events)
        let status = JobServers()
        let target = settings[WorkerSettings.networkCheck]
        let networkCheck = NetworkCheck(host: target.host, port: target.port)
        let controller = Controller(
            driver: driver, networkCheck: { await networkCheck() }, jobServers: { status.read() },
            onChange: { if $0.isWorthTelling { events?.tell(WorkerEvent($0)) } }, logger: logger)
        let worker = try makeWorker(logger, for: controller)
        status.follow(worker)

        let readiness = ReadinessReport(
            worker: worker, launch: launch, notifier: notifier, logger: logger,
            onReady: { events?.tell(WorkerEvent(.start)) })
        // Cancelled after the limit, what is under way may still take a moment to hear of it.
        let ending = EndingDeadline(limit: Self.finishingLimit + .seconds(5), logger: logger)
        let polling = Polling(driver: driver, interval: settings[WorkerSettings.statsPoll])
        // Below notices the group describes the services themselves, all of their properties included.
        var groupLogger = logger
        groupLogger.logLevel = max(logger.logLevel, .notice)
        let group = ServiceGroup(
            daemon: [reopening, worker, readiness, ending, notifier, polling],
            finishingWithin: Self.finishingLimit,
            logger: groupLogger)
        do {
            try await group.run()
        } catch {
            // A daemon's standard error is /dev/null by now.
            logger.critical("the worker ends: \(error)")
            events?.tell(WorkerEvent(.stop, error: "\(error)"))
            await events?.shutdown(within: Self.lastEventsLimit)
            await broadcast?.shutdown(within: Self.lastRecordsLimit)
            throw error
        }
        logger.notice("the worker ends")
        events?.tell(WorkerEvent(.stop))
        await events?.shutdown(within: Self.lastEventsLimit)
        await broadcast?.shutdown(within: Self.lastRecordsLimit)
    }

    // MARK: Surroundings

    private var isDaemon: Bool { !settings[WorkerSettings.noDaemon] }

    private func enter() throws(CommandError) -> DaemonSetup.Surroundings {
        var setup = DaemonSetup(program: "libra_worker")
        setup.user = settings[WorkerSettings.user]
        setup.group = settings[WorkerSettings.group]
        setup.leavesFolder = isDaemon
        setup.pidFile = settings[WorkerSettings.pidFile] ?? (isDaemon ? WorkerSettings.daemonPIDFile : nil)
        setup.logFile = settings[WorkerSettings.logFile] ?? (isDaemon ? WorkerSettings.daemonLogFile : nil)
        setup.folders = folders(setup)
        do {
            return try setup.enter()
        } catch {
            throw CommandError(.cannotCreate, messages: error.faults.map(\.message), cause: error)
        }
    }

    private func folders(_ setup: DaemonSetup) -> [Folder] {
        var folders = [
            Folder(
                stateFolder, purpose: "the worker's state", origin: settings.origin(of: WorkerSettings.stateFolder),
                isExclusive: true)
        ]
        if settings[WorkerSettings.service] != .process {
            folders.append(
                Folder(
                    settings[WorkerSettings.stagingFolder], purpose: "new configurations",
                    origin: settings.origin(of: WorkerSettings.stagingFolder), ownership: .root))
        }
        if let file = settings[WorkerSettings.statsFile] {
            folders.append(
                Folder(
                    file.removingLastComponent(), purpose: "the statsfile",
                    origin: settings.origin(of: WorkerSettings.statsFile)))
        }
        if let file = setup.pidFile {
            folders.append(
                Folder(
                    file.removingLastComponent(), purpose: "the PID file",
                    origin: settings.origin(of: WorkerSettings.pidFile)))
        }
        if let file = setup.logFile {
            folders.append(
                Folder(
                    file.removingLastComponent(), purpose: "the log file",
                    origin: settings.origin(of: WorkerSettings.logFile)))
        }
        return folders
    }

    private var stateFolder: FilePath {
        if let folder = settings[WorkerSettings.stateFolder] { return folder }
        guard geteuid() != 0, !isDaemon else { return WorkerSettings.defaultStateFolder }
        let environment = processEnvironment()
        // What StateDirectory= in a unit of systemd makes; a list when the unit names several.
        if let folder = environment["STATE_DIRECTORY"]?.split(separator: ":").first, folder.hasPrefix("/") {
            return FilePath(String(folder))
        }
        if let folder = environment["XDG_STATE_HOME"], folder.hasPrefix("/") {
            return FilePath(folder).appending("libra")
        }
        return FilePath(environment["HOME"] ?? "/").appending(".local/state/libra")
    }

    /// The way to those who watch the log; nil where nothing is broadcast.
    ///
    /// Its own troubles go to the log alone.
    private func makeBroadcast(_ destination: any LogDestination) throws(CommandError) -> Broadcast? {
        guard let url = settings[WorkerSettings.broadcastURL]?.reveal() else { return nil }
        var options = BroadcastOptions()
        options.program = "libra_worker"
        let log = Logger(label: "libra_worker") { _ in
            LineLogHandler(program: "libra_worker", to: destination, level: .warning)
        }
        options.onTrouble = { log.warning("[broadcast] url: \($0)") }
        do throws(LogBroadcastError) {
            return try Broadcast(to: try BroadcastURL(url), options: options)
        } catch {
            throw CommandError(
                error.code == .invalidArgument ? .configuration : .unavailable, "[broadcast] url: \(error.message)",
                cause: error)
        }
    }

    /// The way of what happens to whoever reads it later; nil where nothing is told.
    private func makeEvents(_ logger: Logger) throws(CommandError) -> EventFeed? {
        guard let texts = settings[WorkerSettings.eventBrokers]?.reveal().split(whereSeparator: \.isWhitespace) else {
            return nil
        }
        var configuration = MessageLogConfiguration()
        configuration.brokers = texts.map(String.init)
        var options = ProducerOptions(spooling: .always, logger: logger)
        options.spoolFolder = settings[WorkerSettings.eventSpool] ?? stateFolder.appending("events")
        options.spoolLimit = settings[WorkerSettings.eventSpoolLimit].bytes
        let host = hostName()
        do throws(MessageLogError) {
            let key: RoutingKey
            if let own = settings[WorkerSettings.eventKey] { key = own } else { key = try WorkerEvent.key(of: host) }
            let producer = try ConcurrentProducer(
                routingKey: key.description, brokers: try configuration.openBrokers(logger: logger), options: options)
            return EventFeed(to: producer, queue: EventQueue(host: host), logger: logger)
        } catch {
            throw CommandError(.configuration, "[events] brokers: \(error)", cause: error)
        }
    }

    private func makeLogger(_ destination: any LogDestination, _ broadcast: Broadcast?) -> Logger {
        let level: Logger.Level =
            settings[WorkerSettings.debug] ? .debug : settings[WorkerSettings.verbose] ? .info : .notice
        let broadcastLevel = settings[WorkerSettings.broadcastLevel]
        LoggingSystem.bootstrap { label in
            let own = LineLogHandler(program: "libra_worker", to: destination, level: level)
            guard let broadcast else { return own }
            return MultiplexLogHandler([own, BroadcastLogHandler(label: label, to: broadcast, level: broadcastLevel)])
        }
        return Logger(label: "libra_worker")
    }

    // MARK: Parts

    private func makeDriver(_ logger: Logger, _ events: EventFeed?) async throws(CommandError) -> HAProxyDriver {
        switch settings[WorkerSettings.driver] {
        case .haproxy:
            let options = try driverOptions()
            do throws(DriverError) {
                return try await HAProxyDriver(
                    options: options, logger: logger, onRepair: { events?.tell(WorkerEvent($0)) })
            } catch {
                throw CommandError(error.code == .storage ? .inputOutput : .unavailable, error.message, cause: error)
            }
        }
    }

    private func driverOptions() throws(CommandError) -> HAProxyDriverOptions {
        var options: HAProxyDriverOptions
        do throws(HAProxyError) {
            let log = try LogTarget(settings[WorkerSettings.log])
            let drainTimeout = try Milliseconds(Int(settings[WorkerSettings.drainTimeout] / .milliseconds(1)))
            options = HAProxyDriverOptions(
                service: settings[WorkerSettings.service], stateFolder: stateFolder.string, log: log,
                drainTimeout: drainTimeout)
        } catch {
            throw CommandError(.configuration, error.message, cause: error)
        }
        options.stagingFolder = settings[WorkerSettings.stagingFolder].string
        options.socketAccess = settings[WorkerSettings.socketAccess]
        options.alwaysReloads = settings[WorkerSettings.alwaysReload]
        options.reconciliation = settings[WorkerSettings.reconcile]
        if let secret = settings[WorkerSettings.cookieKey] {
            guard let key = CookieKey(secret.reveal()) else {
                throw CommandError(
                    .configuration, "[worker:haproxy] cookie_key: it has to have \(CookieKey.requirement)")
            }
            options.cookieKey = key
        }
        if let file = settings[WorkerSettings.statsFile] { options.statsFile = file.string }
        if let file = settings[WorkerSettings.configurationFile] { options.configurationFile = file.string }
        if let socket = settings[WorkerSettings.socket] { options.socket = socket.string }
        return options
    }

    private func makeWorker(
        _ logger: Logger, for controller: Controller
    ) throws(CommandError) -> Worker {
        var options = WorkerOptions()
        options.connections = settings[WorkerSettings.connections]
        options.reconnectSleep = settings[WorkerSettings.reconnectSleep]
        options.keepalive =
            settings[WorkerSettings.keepalive]
            ? Keepalive(
                count: settings[WorkerSettings.keepaliveCount],
                idle: .seconds(settings[WorkerSettings.keepaliveIdle]),
                interval: .seconds(settings[WorkerSettings.keepaliveInterval]))
            : nil
        do {
            var servers: [JobServer] = []
            for server in try settings[WorkerSettings.servers] ?? [JobServer(WorkerSettings.defaultServer)]
            where !servers.contains(server) { servers.append(server) }
            return try Worker(
                function: settings[WorkerSettings.function] ?? hostName(), servers: servers,
                options: options, tls: try tlsOptions(), logger: logger,
                handler: { .complete(await controller.reply(to: $0.workload, delivery: JobDelivery($0))) },
                answered: { await controller.settle(JobDelivery($0), wasDelivered: $1 == .delivered) })
        } catch let error as GearmanError {
            throw CommandError(.configuration, error.message, cause: error)
        } catch {
            throw CommandError(.configuration, "\(error)", cause: error)
        }
    }

    private func tlsOptions() throws(CommandError) -> TLSOptions? {
        switch (
            settings[WorkerSettings.tlsAuthority], settings[WorkerSettings.tlsCertificate],
            settings[WorkerSettings.tlsKey]
        ) {
        case (nil, nil, nil): return nil
        case (let authority?, let certificate?, let key?):
            return TLSOptions(authorityFile: authority.string, certificateFile: certificate.string, keyFile: key.string)
        default: throw CommandError(.configuration, "[gearman] ssl_ca, ssl_cert and ssl_key belong together")
        }
    }

    private func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension JobDelivery {
    fileprivate init(_ job: Job) {
        self.init(
            job: JobIdentity(server: job.server.description, handle: job.handle, unique: job.unique),
            number: job.delivery)
    }
}
