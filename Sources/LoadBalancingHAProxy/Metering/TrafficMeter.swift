internal import DedicatedThread
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

    let client: RuntimeClient
    let logger: Logger
    let gate = Gate()
    var books: TrafficBooks
    /// The process that had the socket when it was last asked.
    private var current: TrafficLedger.Process?

    // What TrafficMeter+Following.swift needs.
    let master: MasterClient?
    /// How long a process that was replaced may go on: `hard-stop-after`.
    let drainTimeout: Duration
    let heldLimit: Int
    /// The processes that are held by a session, in the order in which they were replaced.
    var held: [Held] = []
    var newestHeld = 0
    /// Whether old workers are being asked through their master.
    var isFollowingOldWorkers = false

    /// Creates a meter; nothing is read yet.
    ///
    /// - Parameters:
    ///   - path: The statsfile.
    ///   - client: The Runtime API; a client of the meter's own.
    ///   - master: HAProxy's master, if there is one that this user may ask.
    ///   - drainTimeout: How long a process that was replaced may go on.
    ///   - heldLimit: How many processes that were replaced may have connections at a time; each takes memory as a whole
    ///     HAProxy does.
    ///   - logger: Gets what is wrong with the books.
    init(
        path: String, client: RuntimeClient, master: MasterClient?, drainTimeout: Duration, heldLimit: Int,
        logger: Logger
    ) {
        self.drainTimeout = drainTimeout
        self.heldLimit = heldLimit
        books = TrafficBooks(path: path, logger: logger)
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
        try books.load()
        let isKnown = delivery.map { books.hasReport(for: $0) } ?? false
        // The report of a job that comes again is made already.
        if !isKnown, let fault = await read(), fault.code != .notRunning { throw DriverError(fault) }
        return try books.report(for: delivery, balancers: balancers)
    }

    /// Takes note of what became of an answer.
    func settle(_ delivery: JobDelivery, wasDelivered: Bool) { books.settle(delivery, wasDelivered: wasDelivered) }

    /// Reads and writes down what can be read; a fault is logged, unless HAProxy is not running.
    func sample() async {
        do throws(DriverError) {
            try books.load()
        } catch {
            books.log(error)
            return
        }
        if let fault = await read(), fault.code != .notRunning {
            logger.warning("HAProxy's counters cannot be read: \(fault.message)")
        }
        books.saveOrLog()
    }

    /// Reads every process that can be asked.
    ///
    /// - Returns: Why the process that has the socket could not be.
    private func read() async -> HAProxyError? {
        await gate.pass {
            var fault: HAProxyError?
            do throws(HAProxyError) {
                let counters = try await client.counters()
                books.note(counters)
                current = TrafficLedger.Process(counters)
            } catch {
                fault = error
            }
            for worker in await oldWorkers() where worker != current?.id {
                // One that ends in this moment has been read by its session.
                if let master, let counters = try? await master.counters(ofWorker: worker) { books.note(counters) }
            }
            books.forgetEnded(but: current)
            return fault
        }
    }
}
