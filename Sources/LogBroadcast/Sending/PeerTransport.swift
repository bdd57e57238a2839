import DedicatedThread
import Synchronization
internal import ZeroMQ

/// Publishes records to those who watch, by ZeroMQ and without a broker.
///
/// Nobody confirms anything here: a record goes to who is connected, and one who does not keep up misses the newest. Or
/// all wait for that one: then what has left this process is what was sent.
final class PeerTransport: BroadcastTransport {
    /// How many messages wait at most for each peer that does not keep up.
    static let mostWaiting = 10_000
    /// The same where the others wait for that one: as many may be lost at the end, and nobody knows which.
    static let mostUnsure = 1_000

    /// When a peer whose host has vanished is taken for gone.
    ///
    /// Not by ZMTP's heartbeats: one that reads late answers none in time, and what a viewer says to a sender that has ended
    /// takes away what it has not read yet.
    static let keepalive = SocketOptions.Keepalive(idle: .seconds(20), interval: .seconds(5), count: 4)

    let outbox: Outbox
    private let endpoint: Endpoint
    private let readiness = Readiness()
    private let bell: WakeUp
    private let end = PeerEnd()

    /// Binds or connects.
    ///
    /// - Parameters:
    ///   - endpoint: Where those who watch are, or come to.
    ///   - side: Which of both.
    ///   - bytes: How many bytes of bodies may wait for the thread that sends.
    ///   - waits: Whether all wait for a viewer that does not keep up, and for one at all.
    /// - Throws: ``LogBroadcastError`` when the endpoint cannot be bound or connected to.
    init(_ endpoint: Endpoint, side: BroadcastURL.Side, bytes: Int, waits: Bool) throws(LogBroadcastError) {
        outbox = Outbox(limit: bytes, remembers: false)
        self.endpoint = endpoint
        bell = try WakeUp()
        let publishing: PeerPublishing
        do throws(ZeroMQError) {
            var options = SocketOptions()
            options.sendHighWaterMark = waits ? Self.mostUnsure : Self.mostWaiting
            options.publishesToAllOrNone = waits
            options.keepalive = PeerTransport.keepalive
            options.reconnectInterval = .seconds(1)
            let context = try Context()
            var socket = try Socket(.extendedPublish, in: context, options: options)
            let monitor = try SocketMonitor(of: socket, in: context)
            switch side {
            case .bind: try socket.bind(endpoint)
            case .connect: try socket.connect(endpoint)
            }
            let redialing = Redialing(side == .connect ? [endpoint] : [], interval: .seconds(1))
            publishing = PeerPublishing(
                socket, monitor, redialing, outbox: outbox, bell: bell, readiness: readiness, end: end,
                waits: waits)
        } catch {
            throw LogBroadcastError(error)
        }
        Task.detached { await publishing.run() }
    }

    func wake() { bell.signal() }

    func waitUntilReady(within limit: Duration) async throws(LogBroadcastError) {
        guard await readiness.wait(within: limit) else {
            throw LogBroadcastError(.unavailable, "nobody watches at \(endpoint) within \(limit)")
        }
    }

    func hurry() {}

    func close(within limit: Duration) async -> Int {
        outbox.abandon()
        end.order(within: limit)
        bell.signal()
        return await end.reached()
    }
}

/// The end of the thread that sends: ordered by one, reached by the other.
private final class PeerEnd: Sendable {
    private let limit = Mutex<Duration?>(nil)
    private let answer = Readiness()
    private let stuck = Atomic(0)

    var ordered: Duration? { limit.withLock { $0 } }

    func order(within limit: Duration) { self.limit.withLock { $0 = $0 ?? limit } }

    func reach(leaving stuck: Int) {
        self.stuck.store(stuck, ordering: .relaxed)
        answer.set(true)
    }

    func reached() async -> Int {
        _ = await answer.wait(within: .seconds(86_400))
        return stuck.load(ordering: .relaxed)
    }
}

/// What has the socket, on a thread of its own.
private actor PeerPublishing {
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
    private let thread = DedicatedThread(name: "log-publish")
    private let outbox: Outbox
    private let bell: WakeUp
    private let readiness: Readiness
    private let end: PeerEnd
    private let waits: Bool
    private var socket: Socket?
    private var monitor: SocketMonitor?
    private var redialing: Redialing
    private var viewers: Set<[UInt8]> = []
    /// How many records it has given to libzmq, where it waits for room.
    private var given: UInt64 = 0

    init(
        _ socket: consuming Socket, _ monitor: consuming SocketMonitor, _ redialing: Redialing, outbox: Outbox,
        bell: WakeUp, readiness: Readiness, end: PeerEnd, waits: Bool
    ) {
        self.socket = consume socket
        self.monitor = consume monitor
        self.redialing = redialing
        self.outbox = outbox
        self.bell = bell
        self.readiness = readiness
        self.end = end
        self.waits = waits
    }

    /// Sends what comes until the end is ordered.
    func run() {
        guard var socket = socket.take(), var monitor = monitor.take() else { return }
        var linger = Duration.zero
        do throws(ZeroMQError) {
            var items = [
                PollItem(socket, .input), PollItem(descriptor: bell.descriptor, .input), monitor.pollItem,
                // Tells of room, where that is waited for.
                PollItem(descriptor: try socket.descriptor(), []),
            ]
            while true {
                try poll(&items, timeout: redialing.deadline.map { max(.zero, $0 - .now) })
                bell.arm()
                while let event = try monitor.next() { redialing.note(event, now: .now) }
                for endpoint in redialing.due(now: .now) { try socket.reconnect(endpoint) }
                try noteViewers(of: &socket)
                items[3].events = try send(over: &socket) ? [] : .input
                guard let limit = end.ordered else { continue }
                linger = limit
                try socket.setLinger(limit)
                break
            }
        } catch {
            // Nothing that is asked of the socket can fail, but for the memory that a message needs.
            outbox.abandon()
        }
        _ = consume monitor
        // The end of its context waits here for what the socket still holds, as long as its linger says.
        let begun = ContinuousClock.now
        socket.close()
        // Whether all had left then nobody says but the clock; libzmq's may be a little ahead.
        let isCut = linger == .zero || begun.duration(to: .now) >= linger - .milliseconds(10)
        end.reach(leaving: isCut ? Int(min(given, UInt64(PeerTransport.mostUnsure))) : 0)
    }

    /// Gives libzmq what is to be sent.
    ///
    /// - Returns: Whether there was room for all of it; else room is to be waited for.
    private func send(over socket: inout Socket) throws(ZeroMQError) -> Bool {
        guard waits else {
            for body in outbox.takeAll() { _ = try socket.send(body, wait: false) }
            return true
        }
        // Their coming is an event of the socket.
        guard !viewers.isEmpty else { return true }
        var failure: ZeroMQError?
        let before = given
        let isAll = outbox.offer { body in
            do throws(ZeroMQError) {
                guard try socket.send(body, wait: false) else { return nil }
            } catch {
                failure = error
                return nil
            }
            given += 1
            return given
        }
        if let failure { throw failure }
        if given > before { outbox.done(before + 1...given) }
        return isAll
    }

    /// Takes notice of who subscribes, and who no longer does.
    private func noteViewers(of socket: inout Socket) throws(ZeroMQError) {
        var message = Message()
        while try socket.receive(into: &message, wait: false) {
            let bytes = message.bytes
            guard let first = bytes.first else { continue }
            if first == 1 { viewers.insert(Array(bytes.dropFirst())) } else { viewers.remove(Array(bytes.dropFirst())) }
            readiness.set(!viewers.isEmpty)
        }
    }
}
