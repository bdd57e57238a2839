internal import AMQP
import DedicatedThread
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
    ///   - lost: Called with a number of records that the broker refused.
    /// - Throws: ``LogBroadcastError`` when there is no descriptor left.
    init(
        to uri: BrokerURI, name: String, bytes: Int, troubles: Troubles, lost: @escaping @Sendable (Int) -> Void
    ) throws(LogBroadcastError) {
        do throws(AMQPError) {
            let outbox = Outbox(limit: bytes, remembers: true)
            var options = ConnectionOptions(name: name, maximumPause: .seconds(2))
            options.topology = Topology(exchanges: [try BroadcastExchange.declaration()])
            // What the connection has to say must not be broadcast over it: `watching` says it instead.
            let connection = try Connection(to: uri, options: options, logger: silentLogger)
            let properties = MessageProperties(contentType: "application/json")
            let source = BrokerSource(
                outbox, route: try Route(exchange: BroadcastExchange.name, properties: properties), troubles: troubles,
                lost: lost)
            let publisher = try connection.makePublisher(for: source, window: Outbox.most)
            self.outbox = outbox
            self.connection = connection
            self.source = source
            self.publisher = publisher
            watching = Task.detached { await watch(connection, source, publisher, troubles) }
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
        source.holdBack(nil)
        publisher.wake()
    }

    func close(within limit: Duration) async {
        outbox.abandon()
        watching.cancel()
        // An attempt to connect that is under way may take longer, and delays nobody.
        let isClosed = FirstAnswer<Void>()
        Task.detached { [connection] in
            await connection.close()
            isClosed.offer(())
        }
        let clock = Task.detached {
            try? await Task.sleep(for: limit)
            isClosed.offer(())
        }
        await isClosed.value()
        clock.cancel()
    }
}

/// A logger for connections that have nobody to tell.
let silentLogger = Logger(label: "libra.broadcast") { _ in SwiftLogNoOpLogHandler() }

/// Reports what happens to a connection, and has all sent again that may have been lost with one.
private func watch(
    _ connection: Connection, _ source: BrokerSource, _ publisher: SourcePublisher, _ troubles: Troubles
) async {
    var wasUp = false
    for await state in connection.states {
        switch state {
        case .waiting(let error, _):
            troubles.say("\(error)")
            // The pause before the next attempt leaves time for this.
            if wasUp { source.rewind() }
            wasUp = false
        case .connected where source.isHeldBack:
            source.holdBack(BrokerTransport.patience)
            Task.detached {
                try? await Task.sleep(for: BrokerTransport.patience)
                publisher.wake()
            }
        case .blocked(let reason): troubles.say("broker \(connection.uri) takes no records: \(reason)")
        case .connecting, .connected, .closed: break
        }
        wasUp = wasUp || state.isUp
    }
}

/// What a publisher takes from an outbox.
private final class BrokerSource: MessageSource {
    private let outbox: Outbox
    private let route: Route
    private let troubles: Troubles
    private let lost: @Sendable (Int) -> Void
    private let heldUntil = Mutex<ContinuousClock.Instant?>(nil)

    init(_ outbox: Outbox, route: Route, troubles: Troubles, lost: @escaping @Sendable (Int) -> Void) {
        self.outbox = outbox
        self.route = route
        self.troubles = troubles
        self.lost = lost
    }

    /// Has all that is here published again, over the next connection.
    func rewind() {
        holdBack(.seconds(86_400))
        outbox.rewind()
    }

    /// Publishes nothing for some time and all that is here afterwards; nil ends that.
    func holdBack(_ time: Duration?) { heldUntil.withLock { $0 = time.map { .now + $0 } } }

    var isHeldBack: Bool { heldUntil.withLock { $0 != nil } }

    func publish(into window: inout PublishWindow) {
        let isHeldBack = heldUntil.withLock { until in
            guard let end = until, end > .now else {
                until = nil
                return false
            }
            return true
        }
        if isHeldBack { return }
        outbox.offer { window.publish($0, to: route) }
    }

    func settled(_ sequences: ClosedRange<UInt64>, _ outcome: PublishOutcome) {
        switch outcome {
        case .confirmed: outbox.done(sequences)
        case .refused:
            troubles.say("the broker refused \(sequences.count) records")
            outbox.done(sequences)
            lost(sequences.count)
        case .lost(let error):
            if error.code == .channelClosed { troubles.say("\(error)") }
            outbox.rewind()
        }
    }
}
