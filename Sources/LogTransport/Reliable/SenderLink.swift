/// What a sender knows about one receiver.
struct SenderLink {
    /// A batch that the receiver has.
    struct Share {
        let first: UInt64
        let lines: UInt32
        let bytes: Int
    }

    /// The session; nil while there is none.
    private(set) var session: WireMessage.Session?
    var window = WireMessage.Window(bytes: 0, lines: 0)
    /// What the receiver has, by sequence; the first is that after ``acknowledged``.
    private(set) var share: [Share] = []
    private(set) var shareBytes = 0
    private var shareLines = 0
    private var acknowledged = WireMessage.Progress(sequence: 0, lines: 0)
    var heard: ContinuousClock.Instant
    var said: ContinuousClock.Instant
    /// When it acknowledged something, or got the first batch of what it has.
    private(set) var progressed: ContinuousClock.Instant
    /// Whether it kept lines for too long; it gets one batch at a time until it acknowledges something.
    var isSuspect = false

    init(now: ContinuousClock.Instant) {
        heard = now
        said = now
        progressed = now
    }

    mutating func begin(_ session: WireMessage.Session, _ window: WireMessage.Window) {
        self.session = session
        self.window = window
        acknowledged = WireMessage.Progress(sequence: 0, lines: 0)
    }

    /// Ends the session.
    ///
    /// - Returns: What the receiver had.
    mutating func end() -> [Share] {
        defer {
            session = nil
            share = []
            (shareBytes, shareLines) = (0, 0)
        }
        return share
    }

    /// Whether the receiver takes a batch now.
    ///
    /// - Parameters:
    ///   - batch: The batch.
    ///   - limit: How many bytes one receiver has at most, however much it would take.
    ///   - batches: How many batches it has at most.
    /// - Returns: Whether it does.
    func takes(_ batch: SenderWindow.Batch, limit: Int, batches: Int) -> Bool {
        guard session != nil, window.bytes > 0, window.lines > 0 else { return false }
        guard !share.isEmpty else { return true }
        return !isSuspect && share.count < batches && shareBytes + batch.bytes <= min(Int(window.bytes), limit)
            && shareLines + Int(batch.lines) <= Int(window.lines)
    }

    /// Notes that the receiver gets a batch.
    ///
    /// - Returns: The batch's sequence.
    mutating func give(_ batch: SenderWindow.Batch, now: ContinuousClock.Instant) -> UInt64 {
        if share.isEmpty { progressed = now }
        share.append(Share(first: batch.first, lines: batch.lines, bytes: batch.bytes))
        shareBytes += batch.bytes
        shareLines += Int(batch.lines)
        said = now
        return acknowledged.sequence + UInt64(share.count)
    }

    /// Takes in an acknowledgement.
    ///
    /// - Parameters:
    ///   - progress: How far the receiver says it has come.
    ///   - now: The time.
    /// - Returns: The batches that are acknowledged wholly now, and the one after them with the number of its lines that
    ///   are; nil when nothing like that was sent.
    mutating func acknowledge(
        _ progress: WireMessage.Progress, now: ContinuousClock.Instant
    ) -> (whole: [Share], part: (first: UInt64, lines: UInt32)?)? {
        // Nothing that is older than what is known can come over one connection.
        guard progress >= acknowledged, progress.sequence - acknowledged.sequence <= UInt64(share.count) else {
            return nil
        }
        let count = Int(progress.sequence - acknowledged.sequence)
        let next = count < share.count ? share[count] : nil
        guard progress.lines <= next?.lines ?? 0 else { return nil }
        guard progress > acknowledged else { return ([], nil) }
        let whole = Array(share.prefix(count))
        share.removeFirst(count)
        for batch in whole {
            shareBytes -= batch.bytes
            shareLines -= Int(batch.lines)
        }
        acknowledged = progress
        progressed = now
        isSuspect = false
        return (whole, next.map { ($0.first, progress.lines) })
    }
}
