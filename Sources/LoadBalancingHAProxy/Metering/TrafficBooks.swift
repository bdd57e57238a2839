import CivilTime
internal import Glibc
internal import HAProxy
internal import LoadBalancing
internal import Logging

/// The books of METRICS, in memory and on the disk: what HAProxy's processes counted, and what became of it.
struct TrafficBooks {
    private let file: StatsFile
    private let logger: Logger
    /// Nil until the file was read.
    private var ledger: TrafficLedger?
    /// What the file holds.
    private var saved: TrafficLedger?
    /// The deliveries whose answers have a report and are on their way, so that word about another is not taken for word
    /// about these; as many at most as there are jobs in hand.
    private var underWay: Set<JobDelivery> = []
    /// The last fault of the file, so that it is logged once.
    private var loggedFault: String?

    /// Creates books that are not open yet: see ``load()``.
    init(path: String, logger: Logger) {
        file = StatsFile(path: path)
        self.logger = logger
    }

    /// Whether the file was read.
    var isOpen: Bool { ledger != nil }

    /// Whether there is a report for this job already.
    func hasReport(for delivery: JobDelivery) -> Bool { ledger?.hasReport(for: delivery.job) ?? false }

    /// Makes the report for a job, on the disk when this returns.
    ///
    /// - Throws: ``DriverError`` with the code `storage` when the file cannot be written; then there is no report.
    mutating func report(for delivery: JobDelivery?, balancers: [BalancerKey]) throws(DriverError) -> TrafficReport {
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
    mutating func settle(_ delivery: JobDelivery, wasDelivered: Bool) {
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

    /// Books what a process has counted.
    mutating func note(_ counters: ProcessCounters) {
        let process = TrafficLedger.Process(counters)
        for balancer in ledger?.observe(process, counters.traffic) ?? [] {
            logger.warning(
                "somebody set the counters of \(balancer) in HAProxy's process \(process.id) to zero; what it counted since they were last read is not known"
            )
        }
    }

    /// Forgets the processes that have ended, but for the one that has the socket.
    mutating func forgetEnded(but current: TrafficLedger.Process?) {
        guard let current, let processes = ledger?.processes else { return }
        ledger?.forget(processes.filter { $0 != current && kill($0.id, 0) != 0 && errno == ESRCH })
    }

    // MARK: The file

    /// Reads the file, unless it was read before.
    ///
    /// - Throws: ``DriverError`` with the code `storage` when it cannot be read, or is a later version's.
    mutating func load() throws(DriverError) {
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

    private mutating func save() throws(DriverError) {
        guard let ledger, ledger != saved else { return }
        try file.write(ledger)
        saved = ledger
    }

    /// Writes the file if something has changed; a fault is logged.
    mutating func saveOrLog() {
        do throws(DriverError) {
            try save()
            loggedFault = nil
        } catch {
            log(error)
        }
    }

    /// Logs a fault of the file, once for as long as it lasts.
    mutating func log(_ error: DriverError) {
        guard loggedFault != error.message else { return }
        loggedFault = error.message
        logger.error("METRICS cannot be kept: \(error.message)")
    }
}

extension TrafficLedger.Prepared {
    /// For a log: which report it is, and what it has.
    fileprivate var summary: String {
        let total = report.total
        let sums = "\(total.bytesOut) bytes out, \(total.bytesIn) in, \(total.connections) connections"
        return "the report for job \(job) (\(sums))"
    }
}

extension TrafficLedger.Process {
    init(_ counters: ProcessCounters) {
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
