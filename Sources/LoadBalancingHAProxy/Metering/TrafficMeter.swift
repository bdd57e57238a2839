internal import DedicatedThread
internal import Glibc
internal import HAProxy
internal import LoadBalancing
internal import Logging

/// Keeps the books of METRICS: reads what HAProxy's processes have counted, and writes it down.
///
/// Reading happens behind one gate, so that what is read first is booked first. See ``TrafficLedger`` for why nothing is
/// counted twice or lost.
actor TrafficMeter {
    private let thread = DedicatedThread(name: "metering")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let file: StatsFile
    private let client: RuntimeClient
    private let master: MasterClient?
    private let logger: Logger
    private let gate = Gate()

    /// Nil until the file was read.
    private var ledger: TrafficLedger?
    /// What the file holds.
    private var saved: TrafficLedger?
    /// The deliveries whose answers have a report and are on their way, so that word about another is not taken for word
    /// about these; as many at most as there are jobs in hand.
    private var underWay: Set<JobDelivery> = []
    /// The process that had the socket when it was last asked.
    private var current: TrafficLedger.Process?
    /// The last fault of the file, so that it is logged once.
    private var loggedFault: String?
    /// Whether old workers are being asked through their master.
    private var isFollowingOldWorkers = false
    /// How long a process that was replaced may go on: `hard-stop-after`.
    private let drainTimeout: Duration

    /// Creates a meter; nothing is read yet.
    ///
    /// - Parameters:
    ///   - path: The statsfile.
    ///   - client: The Runtime API; a client of the meter's own.
    ///   - master: HAProxy's master, if there is one that this user may ask.
    ///   - drainTimeout: How long a process that was replaced may go on.
    ///   - logger: Gets what is wrong with the books.
    init(path: String, client: RuntimeClient, master: MasterClient?, drainTimeout: Duration, logger: Logger) {
        self.drainTimeout = drainTimeout
        file = StatsFile(path: path)
        self.client = client
        self.master = master
        self.logger = logger
    }

    /// Reads the file, and what HAProxy counted while no worker looked.
    func begin() async {
        await sample()
        await followOldWorkers()
    }

    /// The report for a job, on the disk before it is returned.
    ///
    /// - Throws: ``DriverError`` with the code `storage` when the file cannot be written, or when it is a later version's;
    ///   or as HAProxy fails, unless it is not running: then what is known is reported.
    func report(for delivery: JobDelivery?, balancers: [BalancerKey]) async throws(DriverError) -> TrafficReport {
        try load()
        let isKnown = delivery.map { ledger?.hasReport(for: $0.job) ?? false } ?? false
        // The report of a job that comes again is made already.
        if !isKnown, let fault = await read(), fault.code != .notRunning { throw DriverError(fault) }
        let before = ledger
        guard let report = ledger?.report(for: delivery?.job, at: .now, balancers: balancers) else {
            throw DriverError(.unexpected, "the books of METRICS are closed")
        }
        let struck = ledger?.strikeOldest() ?? []
        do throws(DriverError) {
            try save()
        } catch {
            ledger = before
            throw error
        }
        for old in struck {
            logger.warning("nothing was ever heard of \(old.summary); it counts as reported, for too many are kept")
        }
        if let delivery { underWay.insert(delivery) }
        return report
    }

    /// Takes note of what became of an answer.
    func settle(_ delivery: JobDelivery, wasDelivered: Bool) {
        let hadReport = underWay.remove(delivery) != nil
        guard ledger?.hasReport(for: delivery.job) == true else { return }
        if wasDelivered, hadReport {
            ledger?.confirm(delivery.job)
        } else if !underWay.contains(where: { $0.job == delivery.job }) {
            // No answer, or a FAIL without the report. Where the job was delivered once more meanwhile, that one's answer
            // decides.
            ledger?.lose(delivery.job)
        }
        saveOrLog()
    }

    /// Reads and writes down what can be read; a fault is logged, unless HAProxy is not running.
    func sample() async {
        do throws(DriverError) {
            try load()
        } catch {
            log(error)
            return
        }
        if let fault = await read(), fault.code != .notRunning {
            logger.warning("HAProxy's counters cannot be read: \(fault.message)")
        }
        saveOrLog()
    }

    // MARK: Processes that end

    /// Opens a session with the process that is about to be replaced, by which it can be asked until it has ended.
    ///
    /// - Returns: The session; nil when there is no process, or its socket cannot be opened.
    func hold() async -> HeldProcess? {
        await sample()
        guard ledger != nil else { return nil }
        let session = RuntimeSession(socket: client.socket, access: client.access)
        do throws(HAProxyError) {
            try await session.open()
            return HeldProcess(session: session, since: .now)
        } catch {
            if error.code != .notRunning {
                logger.warning("HAProxy's last counters may be missed: \(error.message)")
            }
            return nil
        }
    }

    /// Asks a process that finishes what it has, until it has nothing else left than this session.
    ///
    /// Shortly before HAProxy would cut what is left then (`hard-stop-after`), and end without telling its last counts, the
    /// same connections are cut through the session.
    nonisolated func follow(_ process: HeldProcess?) {
        Task { [weak self, drainTimeout] in
            guard let process else {
                await self?.followOldWorkers()
                return
            }
            let cut = process.since + drainTimeout - min(drainTimeout / 10, .milliseconds(500))
            var wasCut = false
            while let step = await self?.step(process.session), step != .ended {
                let time = process.since.duration(to: .now)
                // The process goes on as if nothing had happened: the reload failed.
                if step == .goesOn, time > .seconds(10) { break }
                if step == .stopping, !wasCut, .now >= cut {
                    wasCut = true
                    try? await process.session.endConnections()
                }
                let rest = ContinuousClock.now.duration(to: cut)
                try? await Task.sleep(for: wasCut ? .milliseconds(5) : min(pause(after: time), max(rest, .zero)))
            }
            await process.session.close()
        }
    }

    private enum Step {
        case goesOn, stopping, ended
    }

    private func step(_ session: RuntimeSession) async -> Step {
        let step: Step = await gate.pass {
            do throws(HAProxyError) {
                let counters = try await session.counters()
                note(counters)
                // Nothing new comes to a process that stops: what was read after its other jobs had ended is the last.
                return counters.isStopping ? counters.jobs <= 1 ? .ended : .stopping : .goesOn
            } catch {
                return .ended
            }
        }
        saveOrLog()
        return step
    }

    /// Asks old workers through their master until they have ended: those for which nobody holds a session.
    private func followOldWorkers() async {
        guard !isFollowingOldWorkers, await !oldWorkers().isEmpty, !isFollowingOldWorkers else { return }
        isFollowingOldWorkers = true
        Task { [weak self] in
            let start = ContinuousClock.now
            while await self?.oldWorkers().isEmpty == false {
                await self?.sample()
                try? await Task.sleep(for: pause(after: start.duration(to: .now)))
            }
            await self?.endFollowing()
        }
    }

    private func endFollowing() { isFollowingOldWorkers = false }

    private func oldWorkers() async -> [Int32] {
        guard let master, let list = try? await master.processes() else { return [] }
        return list.oldWorkers.map(\.processID)
    }

    // MARK: Reading

    /// Reads every process that can be asked.
    ///
    /// - Returns: Why the process that has the socket could not be.
    private func read() async -> HAProxyError? {
        await gate.pass {
            var fault: HAProxyError?
            do throws(HAProxyError) {
                let counters = try await client.counters()
                note(counters)
                current = TrafficLedger.Process(counters)
            } catch {
                fault = error
            }
            for worker in await oldWorkers() where worker != current?.id {
                // One that ends in this moment has been read by its session.
                if let master, let counters = try? await master.counters(ofWorker: worker) { note(counters) }
            }
            forgetEnded()
            return fault
        }
    }

    private func note(_ counters: ProcessCounters) {
        let process = TrafficLedger.Process(counters)
        for balancer in ledger?.observe(process, counters.traffic) ?? [] {
            logger.warning(
                "somebody set the counters of \(balancer) in HAProxy's process \(process.id) to zero; what it counted since they were last read is not known"
            )
        }
    }

    private func forgetEnded() {
        guard let current, let processes = ledger?.processes else { return }
        ledger?.forget(processes.filter { $0 != current && kill($0.id, 0) != 0 && errno == ESRCH })
    }

    // MARK: The file

    private func load() throws(DriverError) {
        guard ledger == nil else { return }
        switch try file.read() {
        case .missing:
            ledger = TrafficLedger(start: .now)
        case .ledger(let read):
            ledger = read
            saved = read
            for prepared in read.prepared where !prepared.isLost {
                logger.notice("\(prepared.summary) was under way when the worker ended; it is that job's alone")
            }
        case .corrupt:
            let place = try file.setAside()
            logger.error(
                "\(file.path) is corrupt and set aside as \(place): what was not reported by now is not known, and METRICS begins anew"
            )
            ledger = TrafficLedger(start: .now, isReplacement: true)
        case .newer(let version):
            throw DriverError(
                .storage,
                "\(file.path) is of version \(version), which this libra_worker does not know: install a later one")
        }
    }

    private func save() throws(DriverError) {
        guard let ledger, ledger != saved else { return }
        try file.write(ledger)
        saved = ledger
    }

    private func saveOrLog() {
        do throws(DriverError) {
            try save()
            loggedFault = nil
        } catch {
            log(error)
        }
    }

    /// Logs a fault of the file, once for as long as it lasts.
    private func log(_ error: DriverError) {
        guard loggedFault != error.message else { return }
        loggedFault = error.message
        logger.error("METRICS cannot be kept: \(error.message)")
    }
}

/// A process that is about to be replaced, and cannot end unread.
struct HeldProcess: Sendable {
    let session: RuntimeSession
    /// A moment before the process was told to end.
    let since: ContinuousClock.Instant
}

extension TrafficLedger.Prepared {
    /// For a log: which report it is, and what it has.
    fileprivate var summary: String {
        let total = report.total
        let sums = "\(total.bytesOut) bytes out, \(total.bytesIn) in, \(total.connections) connections"
        return "the report for job \(job) (\(sums))"
    }
}

/// Short at first, for most processes end soon.
private func pause(after time: Duration) -> Duration { min(max(time / 8, .milliseconds(5)), .milliseconds(200)) }

extension TrafficLedger.Process {
    fileprivate init(_ counters: ProcessCounters) {
        self.init(id: counters.processID, start: counters.startTime)
    }
}

extension ProcessCounters {
    /// What each of the worker's backends counted; others are somebody else's.
    fileprivate var traffic: [BalancerKey: TrafficCounters] {
        var traffic: [BalancerKey: TrafficCounters] = [:]
        for row in backends.rows where row.kind == .backend {
            guard let balancer = BalancerKey(backendName: row.proxy) else { continue }
            traffic[balancer] = TrafficCounters(
                bytesIn: row.bytesIn, bytesOut: row.bytesOut, connections: row.totalSessions,
                requests: row.totalRequests)
        }
        return traffic
    }
}
