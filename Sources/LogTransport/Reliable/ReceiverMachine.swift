/// The receiver's side of the reliable protocol: what came in, and what to do about it; does nothing itself.
struct ReceiverMachine {
    /// How much is taken before it is processed.
    struct Limits: Sendable {
        /// The bytes of batches that are not processed, of one sender.
        var windowBytes: UInt32 = 2 << 20
        /// The lines of these batches.
        var windowLines: UInt32 = 1 << 20
        /// How many senders are listened to, where this side is bound; others get no answer.
        var senders = 64
    }

    /// What the driver has to do.
    enum Action: Equatable {
        case send(WireMessage, to: PeerAddress)
        /// Give the batch that has just come to whom it may concern.
        case deliver(SessionKey, WireMessage.BatchHeader)
        /// Drop what was not processed of a session that is over: it comes again, here or elsewhere.
        case discard(SessionKey)
        /// Keep what was not processed of a session that is over, until its sender speaks again and so will repeat it.
        case keep(SessionKey)
    }

    /// A session with one sender.
    struct SessionKey: Hashable, Sendable {
        let peer: PeerAddress
        let number: WireMessage.Session
    }

    private struct Link {
        var session: WireMessage.Session
        /// Whether the sender has spoken in this session.
        var isEstablished = false
        /// Whether the sender has been given a window.
        var isOpen = false
        var received: UInt64 = 0
        var processed = WireMessage.Progress(sequence: 0, lines: 0)
        var acknowledged = WireMessage.Progress(sequence: 0, lines: 0)
        /// The sizes and lines of the batches after ``processed``.
        var held: [(bytes: Int, lines: Int)] = []
        var heldBytes = 0
        var heldLines = 0
        var heard: ContinuousClock.Instant
        var said: ContinuousClock.Instant
    }

    private let limits: Limits
    private let times: ReliableTimes
    private let dialed: Set<PeerAddress>
    private var generator: any RandomNumberGenerator & Sendable
    private var links: [PeerAddress: Link] = [:]
    /// Messages that are none of the protocol, or break it.
    private(set) var garbage: UInt64 = 0
    /// Whether so much waits to be processed that sessions which begin are to wait for their window.
    var isFull = false

    /// Begins.
    ///
    /// - Parameters:
    ///   - dialed: The senders to which this side has connected; of the others it hears when they speak.
    ///   - limits: How much is taken.
    ///   - times: How patient it is.
    ///   - generator: Where the numbers of sessions come from.
    init(
        dialed: [PeerAddress] = [], limits: Limits = Limits(), times: ReliableTimes = ReliableTimes(),
        generator: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) {
        self.dialed = Set(dialed)
        self.limits = limits
        self.times = times
        self.generator = generator
    }

    /// When ``tick(now:)`` is to be called at the latest.
    var nextDeadline: ContinuousClock.Instant? {
        links.values.map { $0.said + times.heartbeat }.min()
    }

    /// Takes in that a sender to which this side has connected is there: says HELLO.
    mutating func connected(_ peer: PeerAddress, now: ContinuousClock.Instant) -> [Action] {
        end(peer) + begin(with: peer, now: now)
    }

    /// Takes in that a sender to which this side has connected is gone; what it sent is still good.
    mutating func disconnected(_ peer: PeerAddress) -> [Action] { end(peer) }

    /// Takes in a message.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - batch: The size in bytes and the lines of the second frame, where it is a batch.
    ///   - peer: Who sent it.
    ///   - now: The time.
    /// - Returns: What to do.
    mutating func received(
        _ message: WireMessage, batch: (bytes: Int, lines: Int)? = nil, from peer: PeerAddress,
        now: ContinuousClock.Instant
    ) -> [Action] {
        switch message {
        case .offer(let session): return offer(session, from: peer, now: now)
        case .batch(let session, let header):
            guard hears(session, from: peer, now: now) else { return introduction(to: peer, now: now) }
            guard let batch, header.skip <= batch.lines else {
                garbage += 1
                return []
            }
            return take(header, batch, in: SessionKey(peer: peer, number: session), now: now)
        case .ping(let session):
            return hears(session, from: peer, now: now) ? [] : introduction(to: peer, now: now)
        case .bye(let session):
            guard links[peer]?.session == session else { return [] }
            return end(peer) + (dialed.contains(peer) ? begin(with: peer, now: now) : [])
        case .hello, .acknowledgement:
            garbage += 1
            return []
        }
    }

    /// Counts a message that is none of the protocol.
    mutating func receivedGarbage() { garbage += 1 }

    /// Takes in how far the lines of a session are processed; ``acknowledgements(now:)`` says so to the senders.
    mutating func processed(_ progress: WireMessage.Progress, in session: SessionKey) {
        guard var link = links[session.peer], link.session == session.number, progress > link.processed,
            progress.sequence <= link.received
        else { return }
        links[session.peer] = nil
        let count = Int(progress.sequence - link.processed.sequence)
        for batch in link.held.prefix(count) {
            link.heldBytes -= batch.bytes
            link.heldLines -= batch.lines
        }
        link.held.removeFirst(count)
        link.processed = progress
        links[session.peer] = link
    }

    /// The acknowledgements that are due, those included that tell of a window which was not given before.
    mutating func acknowledgements(now: ContinuousClock.Instant) -> [Action] {
        let peers = links.compactMap { peer, link in
            let isDue = link.processed > link.acknowledged || !link.isOpen && !isFull
            return link.isEstablished && isDue ? peer : nil
        }
        return peers.flatMap { acknowledge($0, now: now) }
    }

    /// Does what the clock asks for.
    mutating func tick(now: ContinuousClock.Instant) -> [Action] {
        var actions: [Action] = []
        for (peer, link) in links where now - link.said >= times.heartbeat {
            if now - link.heard >= times.silence {
                actions += end(peer)
                if dialed.contains(peer) { actions += begin(with: peer, now: now) }
            } else if link.isEstablished {
                actions += acknowledge(peer, now: now)
            } else {
                actions += hello(peer, now: now)
            }
        }
        return actions
    }

    /// Acknowledges what was processed, and ends all sessions.
    mutating func finish(now: ContinuousClock.Instant) -> [Action] {
        let actions = acknowledgements(now: now) + links.map { .send(.bye($1.session), to: $0) }
        links = [:]
        return actions
    }

    /// What a sender is told that it may send: nothing in a session that begins while too much waits.
    private mutating func window(of peer: PeerAddress) -> WireMessage.Window {
        guard links[peer]?.isOpen == true || !isFull else { return WireMessage.Window(bytes: 0, lines: 0) }
        links[peer]?.isOpen = true
        return WireMessage.Window(bytes: limits.windowBytes, lines: limits.windowLines)
    }

    /// Whether a message belongs to the session with its sender, which is established by it then.
    private mutating func hears(
        _ session: WireMessage.Session, from peer: PeerAddress, now: ContinuousClock.Instant
    ) -> Bool {
        guard let link = links[peer] else { return false }
        links[peer]?.heard = now
        guard link.session == session else { return false }
        links[peer]?.isEstablished = true
        return true
    }

    private mutating func offer(
        _ session: WireMessage.Session, from peer: PeerAddress, now: ContinuousClock.Instant
    ) -> [Action] {
        guard let link = links[peer] else { return session == 0 ? begin(with: peer, now: now) : [] }
        links[peer]?.heard = now
        if session == 0 && !link.isEstablished { return hello(peer, now: now) }
        guard session == 0 || session == link.session else { return [] }
        return restart(peer, link.session, now: now)
    }

    private mutating func take(
        _ header: WireMessage.BatchHeader, _ batch: (bytes: Int, lines: Int), in session: SessionKey,
        now: ContinuousClock.Instant
    ) -> [Action] {
        guard var link = links[session.peer] else { return [] }
        let fits =
            link.heldBytes + batch.bytes <= limits.windowBytes && link.heldLines + batch.lines <= limits.windowLines
        // One batch may be larger than the window, but not while too much waits: the sender has it still.
        guard header.sequence == link.received + 1, link.isOpen, fits || link.held.isEmpty && !isFull else {
            garbage += 1
            return restart(session.peer, session.number, now: now)
        }
        links[session.peer] = nil
        link.received += 1
        link.held.append(batch)
        link.heldBytes += batch.bytes
        link.heldLines += batch.lines
        links[session.peer] = link
        return [.deliver(session, header)]
    }

    /// Ends a session whose sender is gone: nobody but this side has the lines for certain.
    private mutating func end(_ peer: PeerAddress) -> [Action] {
        links.removeValue(forKey: peer).map { [.keep(SessionKey(peer: peer, number: $0.session))] } ?? []
    }

    private mutating func restart(
        _ peer: PeerAddress, _ session: WireMessage.Session, now: ContinuousClock.Instant
    ) -> [Action] {
        links[peer] = nil
        return [.discard(SessionKey(peer: peer, number: session))] + begin(with: peer, now: now)
    }

    /// Begins a session with a sender that thinks there is one, or says nothing when one is about to begin.
    private mutating func introduction(to peer: PeerAddress, now: ContinuousClock.Instant) -> [Action] {
        links[peer] == nil ? begin(with: peer, now: now) : []
    }

    private mutating func begin(with peer: PeerAddress, now: ContinuousClock.Instant) -> [Action] {
        guard dialed.contains(peer) || links.count < limits.senders else { return [] }
        let session = WireMessage.Session.random(in: 1 ... .max, using: &generator)
        links[peer] = Link(session: session, heard: now, said: now)
        return hello(peer, now: now)
    }

    private mutating func hello(_ peer: PeerAddress, now: ContinuousClock.Instant) -> [Action] {
        guard let session = links[peer]?.session else { return [] }
        links[peer]?.said = now
        return [.send(.hello(session, window(of: peer)), to: peer)]
    }

    private mutating func acknowledge(_ peer: PeerAddress, now: ContinuousClock.Instant) -> [Action] {
        guard let link = links[peer] else { return [] }
        links[peer]?.acknowledged = link.processed
        links[peer]?.said = now
        return [.send(.acknowledgement(link.session, link.processed, window(of: peer)), to: peer)]
    }
}
