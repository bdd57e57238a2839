import DedicatedThread
import Synchronization
internal import ZeroMQ

/// Peers that log, without a broker between them and this viewer.
final class WatchedPeers: WatchedPlace {
    /// The longest message that is taken; who sends a longer one is disconnected.
    static let longestMessage = 64 << 20

    private let endpoint: Endpoint
    private let isBound: Bool
    private let receiving: PeerReceiving
    private let bell: WakeUp
    private let isClosed = Readiness()
    private let readiness = Readiness()

    init(_ endpoint: Endpoint, side: BroadcastURL.Side) throws(LogBroadcastError) {
        self.endpoint = endpoint
        isBound = side == .bind
        let bell = try WakeUp()
        self.bell = bell
        do throws(ZeroMQError) {
            var options = SocketOptions()
            options.receiveHighWaterMark = PeerTransport.mostWaiting
            options.maximumMessageSize = Self.longestMessage
            options.keepalive = PeerTransport.keepalive
            options.reconnectInterval = .seconds(1)
            let context = try Context()
            var socket = try Socket(.subscribe, in: context, options: options)
            let monitor = try SocketMonitor(of: socket, in: context)
            try socket.subscribe()
            switch side {
            case .bind: try socket.bind(endpoint)
            case .connect: try socket.connect(endpoint)
            }
            let redialing = Redialing(side == .connect ? [endpoint] : [], interval: .seconds(1))
            receiving = PeerReceiving(socket, monitor, redialing, bell: bell)
        } catch {
            throw LogBroadcastError(error)
        }
    }

    func watch(for desk: EventDesk) async {
        if isBound { readiness.set(true) }
        let receiving = receiving
        let readiness = readiness
        // A peer that is not there is nothing that anybody reports: only that nobody has come.
        let silence = Task.detached { [endpoint, isBound] in
            if await !readiness.wait(within: .seconds(1)), !isBound, !Task.isCancelled {
                _ = await desk.bring(.disconnected(reason: "nobody listens at \(endpoint) yet"))
            }
        }
        defer { silence.cancel() }
        var (peers, turnedAway) = (0, 0)
        // One that is turned away comes again and again.
        var told: [String: ContinuousClock.Instant] = [:]
        while let batch = await receiving.receive() {
            for event in batch.events {
                switch event.kind {
                case .handshakeSucceeded:
                    peers += 1
                    readiness.set(true)
                    guard await desk.bring(.connected(event.endpoint)) else { return }
                case .disconnected where turnedAway > 0: turnedAway -= 1
                case .disconnected where peers > 0:
                    peers -= 1
                    guard await desk.bring(.disconnected(reason: event.description)) else { return }
                case .disconnected, .handshakeFailed, .acceptFailed:
                    let reason =
                        event.kind == .disconnected
                        ? "\(event.endpoint) is no ZeroMQ socket that broadcasts" : event.description
                    if case .handshakeFailed = event.kind { turnedAway += 1 }
                    if let last = told[reason], last.duration(to: .now) < .seconds(60) { continue }
                    if told.count > 16 { told = [:] }
                    told[reason] = .now
                    guard await desk.bring(.disconnected(reason: reason)) else { return }
                case .connected, .connectRetried, .accepted, .stopped: continue
                }
            }
            for message in batch.messages {
                guard await desk.bring(message) else { return }
            }
        }
    }

    func waitUntilReady(within limit: Duration) async throws(LogBroadcastError) {
        guard await readiness.wait(within: limit) else {
            throw LogBroadcastError(.unavailable, "nobody listens at \(endpoint) within \(limit)")
        }
    }

    func close() async { await receiving.close(waking: bell) }
}

/// What has the socket, on a thread of its own.
private actor PeerReceiving {
    struct Batch: Sendable {
        var events: [SocketEvent] = []
        var messages: [[UInt8]] = []
    }

    /// How many messages are taken at once, and how many bytes.
    private static let most = (messages: 128, bytes: 4 << 20)

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
    private let thread = DedicatedThread(name: "log-viewer")
    private let bell: WakeUp
    private nonisolated let isClosing = Atomic(false)
    private var socket: Socket?
    private var monitor: SocketMonitor?
    private var redialing: Redialing

    init(
        _ socket: consuming Socket, _ monitor: consuming SocketMonitor, _ redialing: Redialing, bell: WakeUp
    ) {
        self.socket = consume socket
        self.monitor = consume monitor
        self.redialing = redialing
        self.bell = bell
    }

    /// Waits for messages; blocks its thread.
    ///
    /// - Returns: What came; nil when it is closed.
    func receive() -> Batch? {
        guard var socket = socket.take(), var monitor = monitor.take() else { return nil }
        do throws(ZeroMQError) {
            var items = [
                PollItem(socket, .input), monitor.pollItem, PollItem(descriptor: bell.descriptor, .input),
            ]
            try poll(&items, timeout: redialing.deadline.map { max(.zero, $0 - .now) })
            if isClosing.load(ordering: .acquiring) { return nil }
            var batch = Batch()
            while let event = try monitor.next() {
                redialing.note(event, now: .now)
                batch.events.append(event)
            }
            for endpoint in redialing.due(now: .now) { try socket.reconnect(endpoint) }
            var message = Message()
            var bytes = 0
            while batch.messages.count < Self.most.messages, bytes < Self.most.bytes,
                try socket.receive(into: &message, wait: false)
            {
                bytes += message.count
                batch.messages.append(message.bytes)
            }
            self.socket = consume socket
            self.monitor = consume monitor
            return batch
        } catch {
            return nil
        }
    }

    /// Ends the wait that is under way, and closes the socket.
    nonisolated func close(waking bell: WakeUp) async {
        isClosing.store(true, ordering: .releasing)
        bell.signal()
        await release()
    }

    private func release() {
        monitor = nil
        socket = nil
    }
}
