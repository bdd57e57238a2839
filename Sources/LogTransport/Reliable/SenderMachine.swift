/// The sender's side of the reliable protocol: what came in, and what to do about it; does nothing itself.
///
/// Lines are known to it as batches, by the number of their first line. Its driver keeps the bytes until it is told to
/// release them, calls ``tick(now:)`` when ``nextDeadline`` has come, and before that takes in all that has arrived, so that
/// a sender that slept for long does not take its receivers for gone.
struct SenderMachine {
    /// How much is kept and given.
    struct Limits: Sendable {
        /// The bytes of all batches that are not acknowledged.
        var windowBytes = 4 << 20
        /// The number of these batches.
        var windowBatches = 1024
        /// The bytes that one receiver has at most; less than all, so that one that hangs does not hold up the others.
        var shareBytes = 2 << 20
        /// The batches that one receiver has at most; below the high-water mark, so that a full pipe means a dead peer.
        var shareBatches = 200
        /// How many receivers are served; others hear nothing.
        var receivers = 1000
    }

    /// What the driver has to do.
    enum Action: Equatable {
        case send(WireMessage, to: PeerAddress)
        /// Send a message and, as its second frame, the batch that begins with this line.
        case sendBatch(WireMessage, first: UInt64, to: PeerAddress)
        /// Forget the batch that begins with this line.
        case release(UInt64)
        /// Tell the log.
        case note(PeerAddress, Note)
    }

    /// What happened to a receiver.
    enum Note: String {
        case joined = "a receiver joined"
        case left = "a receiver left"
        case unreachable = "a receiver is gone"
        case silent = "a receiver does not answer"
        case stalled = "a receiver acknowledges nothing: its lines go to others"
        case refused = "there are too many receivers: one more is not served"
    }

    private let sender: SenderID
    private let limits: Limits
    private let times: ReliableTimes
    /// The receivers to which this side has connected, and which do not know that before they are told.
    private let dialed: [PeerAddress]
    private var links: [PeerAddress: SenderLink] = [:]
    /// The receivers in the order in which they are looked at.
    private var order: [PeerAddress] = []
    private var turn = 0
    private var offered: ContinuousClock.Instant?
    /// When receivers are to be asked whether they are still there.
    private var probe: ContinuousClock.Instant?
    /// Whether another connection has ended since, so that they are to be asked once more.
    private var isProbeWanted = false
    private var window: SenderWindow
    private var lastNumber: UInt64 = 0
    private(set) var counts = OutletCounts()
    /// When ``tick(now:)`` is to be called at the latest.
    private(set) var nextDeadline: ContinuousClock.Instant?

    init(
        sender: SenderID, dialed: [PeerAddress] = [], limits: Limits = Limits(), times: ReliableTimes = ReliableTimes(),
        now: ContinuousClock.Instant
    ) {
        self.sender = sender
        self.dialed = dialed
        self.limits = limits
        self.times = times
        window = SenderWindow(maximumBytes: limits.windowBytes, maximumBatches: limits.windowBatches)
        nextDeadline = dialed.isEmpty ? nil : now
    }

    /// The number up to which all lines are acknowledged.
    var acknowledged: UInt64 { window.oldest.map { $0 - 1 } ?? lastNumber }
    /// How many lines are not acknowledged.
    var unacknowledged: UInt64 { window.lines }
    /// How many receivers have a session.
    var receivers: Int { links.values.count { $0.session != nil } }

    /// Whether a batch of this size may be appended.
    func hasRoom(for bytes: Int) -> Bool { window.hasRoom(for: bytes) }

    /// Takes a batch, whose lines' numbers follow each other and are above those of all batches before.
    mutating func append(first: UInt64, lines: UInt32, bytes: Int, now: ContinuousClock.Instant) -> [Action] {
        window.append(SenderWindow.Batch(first: first, lines: lines, bytes: bytes))
        lastNumber = first + UInt64(lines) - 1
        return distribute(now: now)
    }

    /// Takes in a message.
    mutating func received(
        _ message: WireMessage, from peer: PeerAddress, now: ContinuousClock.Instant
    ) -> [Action] {
        switch message {
        case .hello(let session, let window): return hello(session, window, from: peer, now: now)
        case .acknowledgement(let session, let progress, let window):
            guard links[peer]?.session == session else {
                links[peer]?.heard = now
                return [.send(.offer(session), to: peer)]
            }
            return acknowledgement(progress, window, from: peer, now: now)
        case .bye(let session):
            guard links[peer]?.session == session else { return [] }
            return drop(peer, because: .left) + distribute(now: now)
        case .offer, .batch, .ping:
            counts.garbage += 1
            return []
        }
    }

    /// Counts a message that is none of the protocol.
    mutating func receivedGarbage() { counts.garbage += 1 }

    /// Takes in that a receiver to which this side has connected is there.
    mutating func connected(_ peer: PeerAddress, now: ContinuousClock.Instant) -> [Action] {
        drop(peer, because: .unreachable) + [.send(.offer(0), to: peer)] + distribute(now: now)
    }

    /// Takes in that a receiver is gone, or that nothing can be sent to it as it has not read for very long.
    mutating func sendFailed(to peer: PeerAddress, now: ContinuousClock.Instant) -> [Action] {
        guard links[peer]?.session != nil else {
            forget(peer)
            return []
        }
        return drop(peer, because: .unreachable) + distribute(now: now)
    }

    /// Takes in that a connection has ended, of a receiver that has connected to this side; libzmq does not say which.
    ///
    /// The next message to that receiver shows it, so those that have lines then get one in a moment: once libzmq has let go
    /// of the connection, of whose end it tells just before.
    mutating func connectionEnded(now: ContinuousClock.Instant) {
        guard !links.isEmpty else { return }
        guard probe == nil else { return isProbeWanted = true }
        let moment = now + .milliseconds(20)
        probe = moment
        nextDeadline = nextDeadline.map { min($0, moment) }
    }

    /// Does what the clock asks for.
    mutating func tick(now: ContinuousClock.Instant) -> [Action] {
        guard let deadline = nextDeadline, deadline <= now else { return [] }
        let isProbe = probe.map { $0 <= now } ?? false
        if isProbe {
            probe = isProbeWanted ? now + .milliseconds(20) : nil
            isProbeWanted = false
        }
        var actions: [Action] = []
        for peer in order {
            guard let link = links[peer] else { continue }
            if now - link.heard >= times.silence {
                actions += drop(peer, because: .silent)
            } else if let session = link.session {
                if !link.share.isEmpty, now - link.progressed >= times.stall {
                    actions += stalled(peer, session)
                } else if now - link.said >= times.heartbeat || isProbe && !link.share.isEmpty {
                    links[peer]?.said = now
                    actions.append(.send(.ping(session), to: peer))
                }
            }
        }
        actions += offers(now: now) + distribute(now: now)
        setDeadline(now: now)
        return actions
    }

    /// Ends all sessions.
    mutating func finish() -> [Action] {
        order.compactMap { peer in
            guard let session = links[peer]?.session else { return nil }
            return .send(.bye(session), to: peer)
        }
    }

    private mutating func hello(
        _ session: WireMessage.Session, _ wanted: WireMessage.Window, from peer: PeerAddress,
        now: ContinuousClock.Instant
    ) -> [Action] {
        var actions: [Action] = []
        if links[peer] == nil {
            guard links.count < limits.receivers else { return [.note(peer, .refused)] }
            links[peer] = SenderLink(now: now)
            order.append(peer)
        }
        links[peer]?.heard = now
        links[peer]?.said = now
        if links[peer]?.session != session {
            takeBack(links[peer]?.end() ?? [])
            links[peer]?.begin(session, wanted)
            actions.append(.note(peer, .joined))
        }
        links[peer]?.window = wanted
        actions.append(.send(.ping(session), to: peer))
        actions += distribute(now: now)
        setDeadline(now: now)
        return actions
    }

    private mutating func acknowledgement(
        _ progress: WireMessage.Progress, _ wanted: WireMessage.Window, from peer: PeerAddress,
        now: ContinuousClock.Instant
    ) -> [Action] {
        links[peer]?.heard = now
        guard let (whole, part) = links[peer]?.acknowledge(progress, now: now) else {
            counts.garbage += 1
            return []
        }
        links[peer]?.window = wanted
        for batch in whole { window.remove(batch.first) }
        if let part { window.acknowledge(part.first, lines: part.lines) }
        return whole.map { .release($0.first) } + distribute(now: now)
    }

    /// Gives waiting batches to the receivers that take them, each to the one that has least.
    private mutating func distribute(now: ContinuousClock.Instant) -> [Action] {
        guard !order.isEmpty else { return [] }
        var actions: [Action] = []
        let hasTrusted = links.values.contains { $0.session != nil && !$0.isSuspect }
        while let batch = window.nextWaiting, let peer = receiver(for: batch, hasTrusted: hasTrusted) {
            guard let session = links[peer]?.session, let sequence = links[peer]?.give(batch, now: now) else { break }
            window.markOut(batch.first)
            if batch.wasOut { counts.redelivered += UInt64(batch.lines - batch.done) }
            let header = WireMessage.BatchHeader(
                sequence: sequence, sender: sender, first: batch.first, skip: batch.done, isRedelivered: batch.wasOut)
            actions.append(.sendBatch(.batch(session, header), first: batch.first, to: peer))
        }
        return actions
    }

    private mutating func receiver(for batch: SenderWindow.Batch, hasTrusted: Bool) -> PeerAddress? {
        var best: (peer: PeerAddress, bytes: Int)?
        for step in 0..<order.count {
            let peer = order[(turn + step) % order.count]
            guard let link = links[peer], link.takes(batch, limit: limits.shareBytes, batches: limits.shareBatches)
            else { continue }
            // What was kept for too long once is not put at risk again while somebody else can have it.
            if link.isSuspect, batch.wasOut, hasTrusted { continue }
            if link.shareBytes < best?.bytes ?? .max { best = (peer, link.shareBytes) }
        }
        if best != nil { turn = (turn + 1) % order.count }
        return best?.peer
    }

    private mutating func stalled(_ peer: PeerAddress, _ session: WireMessage.Session) -> [Action] {
        counts.receiversLost += 1
        takeBack(links[peer]?.end() ?? [])
        links[peer]?.isSuspect = true
        return [.note(peer, .stalled), .send(.offer(session), to: peer)]
    }

    private mutating func drop(_ peer: PeerAddress, because note: Note) -> [Action] {
        guard let link = links[peer] else { return [] }
        forget(peer)
        guard link.session != nil else { return [] }
        if !link.share.isEmpty { counts.receiversLost += 1 }
        takeBack(link.share)
        return [.note(peer, note)]
    }

    private mutating func forget(_ peer: PeerAddress) {
        guard links.removeValue(forKey: peer) != nil else { return }
        order.removeAll { $0 == peer }
        turn = 0
    }

    private mutating func takeBack(_ share: [SenderLink.Share]) {
        for batch in share { window.takeBack(batch.first) }
    }

    /// Tells the receivers to which this side has connected that it is there.
    private mutating func offers(now: ContinuousClock.Instant) -> [Action] {
        guard offered.map({ now - $0 >= times.heartbeat }) ?? true else { return [] }
        offered = now
        return dialed.filter { links[$0]?.session == nil }.map { .send(.offer(0), to: $0) }
    }

    private mutating func setDeadline(now: ContinuousClock.Instant) {
        // Looking at all receivers at once, twice in the time between two heartbeats, costs nothing and is simple.
        let next = now + times.heartbeat / 2
        nextDeadline = links.isEmpty && dialed.isEmpty ? nil : min(next, probe ?? next)
    }
}
