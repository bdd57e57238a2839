public import CivilTime

/// The books of METRICS: what the processes that balance load have counted, and what of it was reported.
///
/// A value without clocks, files or sockets: whoever has it sees to it that it survives.
///
/// # Why nothing is counted twice and nothing is lost
///
/// Counters belong to a process. The ledger remembers the last it saw of each, so that only growth is added, and a
/// process that it never saw has counted from zero. What was added is in exactly one place at any time: unreported, or
/// in the prepared report of one job. A report is prepared for a job, and the ledger is on the disk *before* the answer
/// is sent. When the worker ends:
///
/// - before that write, the job server gives the job to a worker again; the counters are read anew, from where the
///   ledger on the disk stands;
/// - after the write and before the job server has the answer, the same job comes again, and has the same report;
/// - after the job server has the answer, the job never comes again. Its report is still in the ledger, and belongs to
///   that job alone: no other report has it.
///
/// While the worker lives it is told what became of an answer. One that the job server confirmed is struck from the
/// ledger. One whose connection ended before is marked lost: the job may come again, and then has the same report; when
/// another METRICS comes first, that one takes over what the lost one had, and should the job come again after all, it
/// has what passed since. So a client whose job server ended with its reply misses nothing.
///
/// What cannot be known: an answer that reached the job server in the very moment in which the connection ended, before
/// its confirmation came back, counts as lost and is reported again. When the worker is killed and the job server ends as
/// well before it has passed on the answer, the report stays with a job that never comes again.
public struct TrafficLedger: Sendable, Hashable {
    /// A process that counts.
    public struct Process: Sendable, Hashable {
        /// Its process id.
        public let id: Int32
        /// When it started, in seconds since 1970: this tells it from a later one of the same id.
        public let start: Int64

        /// Creates a process.
        public init(id: Int32, start: Int64) {
            self.id = id
            self.start = start
        }
    }

    /// A report that was made for a job and is not confirmed yet.
    public struct Prepared: Sendable, Hashable {
        /// The job.
        public let job: JobIdentity
        /// Its report.
        public let report: TrafficReport
        /// Whether its answer is known not to have arrived, as far as that can be known.
        public internal(set) var isLost: Bool
    }

    /// How many unconfirmed reports are kept; each connection may leave one when the worker is killed amid an answer.
    static let limit = 256

    var lastSeen: [Process: [BalancerKey: TrafficCounters]] = [:]
    var unreported: [BalancerKey: TrafficCounters] = [:]
    /// The reports that are not confirmed, in the order in which they were made.
    public internal(set) var prepared: [Prepared] = []
    /// When the period began that the next report is about.
    var start: UTCTime
    /// Processes that started up to this second count from what is first seen of them; nil when all count from zero.
    var adoptsUntil: Int64?

    /// Begins the books.
    ///
    /// - Parameters:
    ///   - start: When the first period begins.
    ///   - isReplacement: Whether earlier books were lost. What the processes of this moment have counted so far may have
    ///     been reported from those, and is left out.
    public init(start: UTCTime, isReplacement: Bool = false) {
        self.start = start
        adoptsUntil = isReplacement ? start.microseconds / 1_000_000 : nil
    }

    /// The processes of which something was seen.
    public var processes: Set<Process> { Set(lastSeen.keys) }

    /// Whether there is a report for a job that is not confirmed.
    public func hasReport(for job: JobIdentity) -> Bool { prepared.contains { $0.job == job } }

    /// Takes note of a process's counters; those of one process come in the order in which they were read.
    ///
    /// - Returns: The balancers whose counters were set to zero from outside since they were last seen: what they had
    ///   counted in between is not known.
    @discardableResult
    public mutating func observe(
        _ process: Process, _ counters: [BalancerKey: TrafficCounters]
    ) -> [BalancerKey] {
        var resets: [BalancerKey] = []
        let isAdopted = lastSeen[process] == nil && adoptsUntil.map { process.start <= $0 } ?? false
        var seen = lastSeen[process] ?? [:]
        for (balancer, now) in counters {
            defer { seen[balancer] = now }
            if isAdopted { continue }
            let growth = now.growth(since: seen[balancer] ?? .zero)
            if growth == nil { resets.append(balancer) }
            unreported[balancer, default: .zero] += growth ?? now
        }
        lastSeen[process] = seen
        return resets.sorted { $0.description < $1.description }
    }

    /// Forgets processes that have ended, and count no more.
    public mutating func forget(_ ended: Set<Process>) {
        for process in ended { lastSeen[process] = nil }
    }

    /// Makes the report for a job, or finds the one that was made for it before.
    ///
    /// - Parameters:
    ///   - job: The job; nil when there is none that could come again: the report is then reported once and for all.
    ///   - now: The end of the period.
    ///   - balancers: Those that have a row in any case, in this order.
    /// - Returns: The report.
    public mutating func report(for job: JobIdentity?, at now: UTCTime, balancers: [BalancerKey]) -> TrafficReport {
        if let place = prepared.firstIndex(where: { $0.job == job }) {
            prepared[place].isLost = false
            return prepared[place].report
        }
        takeBackLost()
        let end = max(start, now)
        let others = unreported.filter { $0.value != .zero && !balancers.contains($0.key) }.keys
            .sorted { $0.description < $1.description }
        let rows = (balancers + others).map { TrafficReport.Row(balancer: $0, traffic: unreported[$0] ?? .zero) }
        let report = TrafficReport(start: start, end: end, rows: rows)
        unreported = [:]
        start = end
        if let job { prepared.append(Prepared(job: job, report: report, isLost: false)) }
        return report
    }

    /// Strikes the oldest reports of which nothing was heard, as reported, where there are more than can be kept.
    ///
    /// A job that is to come again does so as soon as there is a worker. So those that did not come while hundreds of
    /// others did were most likely answered, by a worker that was killed before it learned of it; to report them again
    /// would count them twice.
    ///
    /// - Returns: What was struck, for a log: nobody else will know of it.
    public mutating func strikeOldest() -> [Prepared] {
        let struck = prepared.prefix(max(0, prepared.count - Self.limit))
        prepared.removeFirst(struck.count)
        return Array(struck)
    }

    /// The job server has the answer to a job: its report is reported.
    public mutating func confirm(_ job: JobIdentity) {
        prepared.removeAll { $0.job == job }
    }

    /// The answer to a job did not arrive: its report is that job's, or the next one's.
    public mutating func lose(_ job: JobIdentity) {
        for place in prepared.indices where prepared[place].job == job { prepared[place].isLost = true }
    }

    private mutating func takeBackLost() {
        for lost in prepared where lost.isLost {
            start = min(start, lost.report.start)
            for row in lost.report.rows { unreported[row.balancer, default: .zero] += row.traffic }
        }
        prepared.removeAll(where: \.isLost)
    }
}
