internal import AMQP
import Logging
import Synchronization

/// Publishes records to a broker's fanout exchange, with a window of confirms.
final class BrokerTransport: BroadcastTransport {
    /// How long nothing is published after a reconnection, so that those who watch are there again before.
    static let patience = Duration.seconds(2)

    let outbox: Outbox
    private let connection: Connection
    private let publisher: SourcePublisher
    private let source: BrokerSource
    private let watching: Task<Void, Never>

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - uri: Where the broker is.
    ///   - name: What the broker's management shows.
    ///   - bytes: How many bytes of bodies may be unconfirmed.
    ///   - troubles: Where is said what goes wrong.
    /// - Throws: ``LogBroadcastError`` when there is no descriptor left.
    init(
        to uri: BrokerURI, name: String, bytes: Int, troubles: Troubles
    ) throws(LogBroadcastError) {
        do throws(AMQPError) {
            let outbox = Outbox(limit: bytes, remembers: true)
            var options = ConnectionOptions(name: name, maximumPause: .seconds(2))
            options.topology = Topology(exchanges: [try BroadcastExchange.declaration()])
            // What the connection has to say must not be broadcast over it: `watching` says it instead.
            let connection = try Connection(to: uri, options: options, logger: silentLogger)
            let properties = MessageProperties(contentType: "application/json")
            let source = BrokerSource(
                outbox, route: try Route(exchange: BroadcastExchange.name, properties: properties), troubles: troubles)
            let publisher = try connection.makePublisher(for: source, window: Outbox.most)
            self.outbox = outbox
            self.connection = connection
            self.source = source
            self.publisher = publisher
            source.attach(publisher)
            watching = Task.detached { await watch(connection, troubles) }
        } catch {
            throw LogBroadcastError(error)
        }
    }

    func wake() { publisher.wake() }

    func waitUntilReady(within limit: Duration) async throws(LogBroadcastError) {
        do throws(AMQPError) {
            try await connection.waitUntilReady(within: limit)
        } catch {
            throw LogBroadcastError(error)
        }
    }

    func hurry() {
        source.hurry()
        publisher.wake()
    }

    func close(within limit: Duration) async -> Int {
        outbox.abandon()
        watching.cancel()
        await connection.close(within: limit)
        return 0
    }
}

/// A logger for connections that have nobody to tell.
let silentLogger = Logger(label: "libra.broadcast") { _ in SwiftLogNoOpLogHandler() }

/// Reports what happens to a connection.
private func watch(_ connection: Connection, _ troubles: Troubles) async {
    for await state in connection.states {
        switch state {
        case .waiting(let error, _): troubles.say("\(error)")
        case .blocked(let reason): troubles.say("broker \(connection.uri) takes no records: \(reason)")
        case .connecting, .connected, .closed: break
        }
    }
}

/// What a publisher takes from an outbox.
///
/// All but ``attach(_:)`` and ``hurry()`` happens on the connection's thread. So what is sent again after a loss goes before all that is new:
/// a viewer takes what comes behind its successors for repeated.
private final class BrokerSource: MessageSource {
    /// Whether it waits for viewers to come back.
    private enum Pause {
        case none
        case untilConnected
        case until(ContinuousClock.Instant)
        /// The program ends, and there is no time for any.
        case never
    }

    private let outbox: Outbox
    private let route: Route
    private let troubles: Troubles
    private let pause = Mutex(Pause.none)
    private let publisher = Mutex<SourcePublisher?>(nil)

    init(_ outbox: Outbox, route: Route, troubles: Troubles) {
        self.outbox = outbox
        self.route = route
        self.troubles = troubles
    }

    /// Gets to know whom to wake at the end of a pause.
    func attach(_ publisher: SourcePublisher) { self.publisher.withLock { $0 = publisher } }

    func ended(_ error: AMQPError) { publisher.withLock { $0 = nil } }

    func disconnected() {
        outbox.rewind()
        pause.withLock { pause in
            if case .never = pause { return }
            pause = .untilConnected
        }
    }

    func connected() {
        let end = ContinuousClock.now + BrokerTransport.patience
        let isPausing = pause.withLock { pause in
            guard case .untilConnected = pause else { return false }
            pause = .until(end)
            return true
        }
        guard isPausing else { return }
        Task.detached { [self] in
            try? await Task.sleep(until: end)
            publisher.withLock { $0 }?.wake()
        }
    }

    /// Ends the pause, and has no more of them.
    func hurry() { pause.withLock { $0 = .never } }

    func publish(into window: inout PublishWindow) {
        let isPausing = pause.withLock { pause in
            switch pause {
            case .none, .never: return false
            case .untilConnected: return true
            case .until(let end):
                if end > .now { return true }
                pause = .none
                return false
            }
        }
        if isPausing { return }
        outbox.offer { window.publish($0, to: route) }
    }

    func settled(_ sequences: ClosedRange<UInt64>, _ outcome: PublishOutcome) {
        switch outcome {
        case .confirmed: outbox.done(sequences)
        case .refused:
            // One queue did not take them, such as one that is full and has `x-overflow: reject-publish`; the others did. Who
            // reads that one sees the numbers that are missing: to say in the log what all the others have would be untrue.
            let count = outbox.done(sequences)
            guard count > 0 else { return }
            troubles.say("a queue at exchange '\(BroadcastExchange.name)' refused \(count) records")
        case .lost(let error):
            // They are sent again after ``disconnected()``.
            if error.code == .channelClosed { troubles.say("\(error)") }
        }
    }
}
