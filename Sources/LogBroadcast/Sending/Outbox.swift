import DedicatedThread

/// What was made ready to be sent, on its way, or sent a moment ago: between the thread that makes records ready and the
/// one that sends them.
///
/// What a broker confirmed is remembered for a while: a broker that was killed takes with it what viewers had not got yet,
/// so it is sent again over a new connection. Viewers know by its number what they have already; what is older than
/// ``memory`` they have, and it would only be new to who came after it.
final class Outbox: Sendable {
    /// How many bodies may be unconfirmed before no more are taken.
    static let most = 1_000
    /// For how long before its end what was confirmed over a connection may not have reached viewers that keep up.
    static let memory = Duration.seconds(5)

    /// Something to send.
    struct Body {
        /// A record as JSON.
        var bytes: [UInt8]
        /// How many records are lost with it: one, or as many as it says were dropped.
        var weight = 1
    }

    private struct Entry {
        var body: Body
        var isDone = false
        /// When it was sent, or confirmed, last.
        var time: ContinuousClock.Instant?
    }

    private struct State {
        // In the order in which they are sent. Of those before `first` nothing is left.
        var entries: [Entry] = []
        var first = 0
        // Where those begin that have to be sent.
        var unsent = 0
        // The number that the publisher gave to the entry at `first`, when `unsent` is beyond it.
        var firstSequence: UInt64 = 0
        var open = 0
        var openBytes = 0
        var openRecords = 0
        var doneBytes = 0
        var isAbandoned = false
    }

    private let limit: Int
    private let remembers: Bool
    private let state = ThreadMonitor(State())

    /// Creates an empty one.
    ///
    /// - Parameters:
    ///   - limit: How many bytes may be unconfirmed before no more are taken; as many confirmed ones are remembered.
    ///   - remembers: Whether what was confirmed is remembered.
    init(limit: Int, remembers: Bool) {
        self.limit = limit
        self.remembers = remembers
    }

    // MARK: The thread that makes records ready

    /// Waits until there is room, and takes bodies.
    ///
    /// - Returns: Whether they were taken; not when this was abandoned.
    func append(_ bodies: [Body]) -> Bool {
        state.wait { state in
            if state.isAbandoned { return .value(false) }
            guard state.open == 0 || state.open < Self.most && state.openBytes < limit else {
                return .wait(until: nil)
            }
            for body in bodies {
                state.entries.append(Entry(body: body))
                state.open += 1
                state.openBytes += body.bytes.count
                state.openRecords += body.weight
            }
            return .value(true)
        }
    }

    /// Waits until all is confirmed or this is abandoned.
    ///
    /// - Returns: The records that are not confirmed.
    func waitUntilDone() -> UnsentRecords {
        state.wait { $0.open == 0 || $0.isAbandoned ? .value(Self.unsent(in: $0)) : .wait(until: nil) }
    }

    /// Has everybody go on who waits here, and takes no more.
    func abandon() {
        state.update { $0.isAbandoned = true }
    }

    /// How many records are not confirmed.
    var openRecords: Int { state.withLock { $0.openRecords } }

    /// The records that are not confirmed.
    var unsent: UnsentRecords { state.withLock { Self.unsent(in: $0) } }

    /// Confirms may come in another order than records went.
    private static func unsent(in state: State) -> UnsentRecords {
        let rest = state.entries[state.first...].drop { $0.isDone }
        return UnsentRecords(count: state.openRecords, fromFirst: rest.reduce(0) { $0 + $1.body.weight })
    }

    // MARK: The thread that sends

    /// Offers what has to be sent, one body after the other.
    ///
    /// - Parameter send: Sends a body and returns its number, one more than the one before; nil when there is no room.
    /// - Returns: Whether there was room for all.
    @discardableResult
    func offer(_ send: (UnsafeRawBufferPointer) -> UInt64?) -> Bool {
        state.withLock { state in
            let now = state.unsent < state.entries.count ? ContinuousClock.now : nil
            while state.unsent < state.entries.count {
                guard let sequence = state.entries[state.unsent].body.bytes.withUnsafeBytes(send) else { return false }
                if state.unsent == state.first { state.firstSequence = sequence }
                state.entries[state.unsent].time = now
                state.unsent += 1
            }
            return true
        }
    }

    /// Hears that bodies need no more care.
    ///
    /// - Returns: How many records that concerns for the first time.
    @discardableResult
    func done(_ sequences: ClosedRange<UInt64>) -> Int {
        state.update { state in
            let before = state.openRecords
            let now = ContinuousClock.now
            for sequence in sequences where sequence >= state.firstSequence {
                let (place, overflow) = state.first.addingReportingOverflow(Int(sequence - state.firstSequence))
                guard !overflow, place < state.unsent, !state.entries[place].isDone else { continue }
                finish(place, at: now, in: &state)
            }
            forget(in: &state)
            return before - state.openRecords
        }
    }

    /// Takes all that has to be sent out, for a transport that confirms nothing.
    func takeAll() -> [[UInt8]] {
        state.update { state in
            let bodies = state.entries[state.unsent...].map(\.body.bytes)
            state.entries.removeAll(keepingCapacity: true)
            (state.first, state.unsent, state.open, state.openBytes, state.openRecords) = (0, 0, 0, 0, 0)
            return bodies
        }
    }

    /// Has sent again what was not confirmed, and what was confirmed in the ``memory`` before the connection's end.
    ///
    /// A broker that fell silent is found out late. The oldest that it did not confirm was sent about then.
    ///
    /// - Parameter now: When the end was noticed.
    func rewind(at now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            let oldest = state.entries[state.first..<state.unsent].first { !$0.isDone }
            let horizon = (oldest?.time ?? now) - Self.memory
            while state.first < state.unsent, state.entries[state.first].isDone,
                let time = state.entries[state.first].time, time < horizon
            {
                letGo(in: &state)
            }
            state.unsent = state.first
        }
    }

    private func finish(_ place: Int, at time: ContinuousClock.Instant, in state: inout State) {
        state.entries[place].isDone = true
        state.entries[place].time = time
        let bytes = state.entries[place].body.bytes.count
        state.openRecords -= state.entries[place].body.weight
        state.open -= 1
        state.openBytes -= bytes
        state.doneBytes += bytes
    }

    /// Lets go of the oldest, which needs no more care.
    private func letGo(in state: inout State) {
        state.doneBytes -= state.entries[state.first].body.bytes.count
        state.entries[state.first].body.bytes = []
        state.first += 1
        state.firstSequence += 1
    }

    /// Lets go of the oldest that need no more care.
    private func forget(in state: inout State) {
        while state.first < state.unsent, state.entries[state.first].isDone, state.doneBytes > limit || !remembers {
            letGo(in: &state)
        }
        guard state.first >= Self.most, state.first >= state.entries.count / 2 else { return }
        state.entries.removeFirst(state.first)
        state.unsent -= state.first
        state.first = 0
    }
}
