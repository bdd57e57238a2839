/// What is known about the connections to one job server, and what follows from it; does nothing itself.
struct ConnectionBook {
    /// What one connection is about.
    enum Phase {
        /// Waits until it may make an attempt, or makes one.
        case opening
        /// Connected, and not yet known to be registered.
        case connected
        case idle
        case busy
    }

    /// What a connection that is not open may do.
    enum Permission: Equatable {
        case attempt
        case wait(until: ContinuousClock.Instant?)
        case stop
    }

    /// A connection's number; those below ``WorkerOptions/connections`` are always wanted, the others are spare.
    typealias Number = Int

    private let base: Int
    private let maximum: Int
    private var backoff: Backoff
    private var phases: [Number: Phase] = [:]
    /// Numbers are not used again, so that a connection that ends is not taken for the next one.
    private var nextSpare: Number
    private var isStopping = false
    /// Whether the last attempt succeeded and no connection has been lost since.
    private var isUp = false
    /// Whether the one attempt that is allowed while the job server is down is being made.
    private var isAttempting = false
    private var nextAttempt: ContinuousClock.Instant?
    private(set) var lastError: GearmanError?
    private(set) var since: ContinuousClock.Instant

    init(options: WorkerOptions, now: ContinuousClock.Instant = .now) {
        base = options.connections
        maximum = options.maximumConnections
        nextSpare = base
        backoff = Backoff(maximum: options.reconnectSleep)
        since = now
    }

    /// How many connections have the function registered.
    var registered: Int { count(.idle) + count(.busy) }
    /// How many connections have a job in hand.
    var busy: Int { count(.busy) }
    /// Whether no connection is left.
    var isEmpty: Bool { phases.isEmpty }

    /// Begins; returns the connections to start.
    mutating func start() -> [Number] {
        guard !isStopping else { return [] }
        for number in 0..<base { phases[number] = .opening }
        return Array(0..<base)
    }

    mutating func stop() { isStopping = true }

    /// Whether a connection that is not open may make an attempt now.
    ///
    /// While the job server is down one connection at a time does, and spare ones end, unless all others have a job.
    mutating func permission(for number: Number, now: ContinuousClock.Instant) -> Permission {
        if isStopping { return .stop }
        if isUp { return .attempt }
        if number >= base, phases.contains(where: { $0.key != number && $0.value != .busy }) { return .stop }
        if isAttempting { return .wait(until: nil) }
        if let nextAttempt, nextAttempt > now { return .wait(until: nextAttempt) }
        isAttempting = true
        return .attempt
    }

    /// The attempt of a connection failed.
    ///
    /// - Returns: The pause before the next attempt; `nil` when another connection told of the failure already.
    mutating func attemptFailed(_ number: Number, _ error: GearmanError, now: ContinuousClock.Instant) -> Duration? {
        phases[number] = .opening
        lastError = error
        guard isUp || isAttempting else { return nil }
        return goDown(after: backoff.next(), now: now)
    }

    /// The attempt of a connection succeeded.
    mutating func opened(_ number: Number) {
        phases[number] = .connected
        isUp = true
        isAttempting = false
        nextAttempt = nil
    }

    /// A connection has no job, and its function is registered.
    ///
    /// - Returns: Whether it is the first one that is registered.
    mutating func becameIdle(_ number: Number, now: ContinuousClock.Instant) -> Bool {
        register(number, as: .idle, now: now)
    }

    /// A connection has a job.
    ///
    /// - Returns: Whether it is the first one that is registered, and the spare one to start, if any.
    mutating func becameBusy(
        _ number: Number, now: ContinuousClock.Instant
    ) -> (isFirst: Bool, spare: Number?) {
        let isFirst = register(number, as: .busy, now: now)
        let isLastOne = !phases.values.contains { $0 != .busy }
        guard isLastOne, phases.count < maximum, !isStopping else { return (isFirst, nil) }
        defer { nextSpare += 1 }
        phases[nextSpare] = .opening
        return (isFirst, nextSpare)
    }

    /// A connection that was open ended.
    ///
    /// - Parameters:
    ///   - number: The connection.
    ///   - error: Why it ended.
    ///   - lived: How long it was open; one that ends soon counts as an attempt that failed.
    ///   - now: The time.
    /// - Returns: The pause before the next attempt, and whether this was the last connection that was registered.
    mutating func lost(
        _ number: Number, _ error: GearmanError, lived: Duration, now: ContinuousClock.Instant
    ) -> (pause: Duration, wasLast: Bool) {
        let wasRegistered = registered > 0
        phases[number] = .opening
        lastError = error
        let wasLast = wasRegistered && registered == 0
        if wasLast { since = now }
        // The others tell of the same loss; one attempt at once is enough for all.
        guard isUp else { return (.zero, wasLast) }
        if lived >= .seconds(1) { backoff.reset() }
        let pause = lived >= .seconds(1) ? .zero : backoff.next()
        return (goDown(after: pause, now: now), wasLast)
    }

    /// A connection ended and is not wanted again.
    mutating func ended(_ number: Number, now: ContinuousClock.Instant) {
        let wasRegistered = registered > 0
        phases[number] = nil
        if wasRegistered && registered == 0 { since = now }
    }

    /// Whether a spare connection that was idle for long is to end: not when it is the only one without a job.
    mutating func endIfSurplus(_ number: Number) -> Bool {
        guard number >= base, count(.idle) > 1 else { return false }
        phases[number] = nil
        return true
    }

    private func count(_ phase: Phase) -> Int { phases.values.count { $0 == phase } }

    private mutating func register(_ number: Number, as phase: Phase, now: ContinuousClock.Instant) -> Bool {
        let isFirst = registered == 0
        phases[number] = phase
        if isFirst { since = now }
        return isFirst
    }

    private mutating func goDown(after pause: Duration, now: ContinuousClock.Instant) -> Duration {
        isUp = false
        isAttempting = false
        nextAttempt = now + pause
        return pause
    }
}
