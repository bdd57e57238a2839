/// When a process that is about to be replaced is asked again, and when what it has left is cut: decided by what it said
/// last, and by the time.
struct DrainWatch {
    /// What a process said.
    enum Sight: Equatable {
        /// It was not told to end.
        case goesOn
        /// It finishes what it has, among it so many connections.
        case stopping(connections: Int)
        /// It has ended, or nothing is left of it but its counters, which were read.
        case ended
    }

    /// What is done next.
    enum Action: Equatable {
        /// It is asked again after so long, which is never zero.
        case wait(Duration)
        /// Its connections are ended, and it is asked again.
        case cut
        /// It is left alone.
        case leave
    }

    /// How long a process that was told to end may go on: `hard-stop-after`.
    private let drainTimeout: Duration
    /// How long it may take until the process is told to end: as long as a reload may.
    private let patience: Duration
    private let start: ContinuousClock.Instant
    /// When the process was last known not to be told to end.
    private var wentOnAt: ContinuousClock.Instant
    /// When it was told to end, or a little earlier.
    private var stoppingSince: ContinuousClock.Instant?
    private var wasCut = false

    /// Creates a watch of a process that has not been told to end yet.
    init(drainTimeout: Duration, patience: Duration = .seconds(60), start: ContinuousClock.Instant) {
        self.drainTimeout = drainTimeout
        self.patience = patience
        self.start = start
        wentOnAt = start
    }

    /// What is done after the process was asked.
    ///
    /// - Parameters:
    ///   - sight: What it said.
    ///   - now: When.
    ///   - held: How many processes are held, this one among them: the more, the less often each is asked.
    ///   - isOneTooMany: Whether it has to end now.
    /// - Returns: What is done next.
    mutating func action(
        after sight: Sight, at now: ContinuousClock.Instant, held: Int = 1, isOneTooMany: Bool = false
    ) -> Action {
        switch sight {
        case .ended: return .leave
        case .goesOn:
            // The reload failed, or nobody made one.
            if now - start > patience { return .leave }
            wentOnAt = now
            // The time until the cut begins when the process is told to end, so that moment is not to be missed by much.
            return .wait(max(Self.shortest, min(pause(since: start, now), drainTimeout / 20)))
        case .stopping(let connections):
            guard !wasCut else { return .wait(Self.shortest) }
            // It was told since it was last asked: rather too early than after HAProxy, where that is not long ago.
            let since = stoppingSince ?? max(wentOnAt, now - min(drainTimeout / 4, .seconds(1)))
            stoppingSince = since
            let cut = since + drainTimeout - window(for: connections)
            guard now < cut, !isOneTooMany else {
                wasCut = true
                return .cut
            }
            return .wait(min(max(pause(since: since, now), .milliseconds(2 * held)), cut - now))
        }
    }

    /// How long before HAProxy would cut its connections a process has them cut: that takes up to 0.3 ms each.
    private func window(for connections: Int) -> Duration {
        min(min(drainTimeout / 10, .milliseconds(500)) + .microseconds(500 * connections), drainTimeout / 2)
    }

    private static let shortest = Duration.milliseconds(5)

    /// Short at first, for most processes end soon.
    private func pause(since start: ContinuousClock.Instant, _ now: ContinuousClock.Instant) -> Duration {
        min(max((now - start) / 8, Self.shortest), .milliseconds(200))
    }
}
