internal import AMQP
import Synchronization

/// A broker, and this viewer's own queue at it.
///
/// The queue goes with the connection, and is made again with it. While the viewer does not keep up the broker keeps what
/// fits in the queue, and drops the oldest: nobody else is held up.
final class WatchedBroker: WatchedPlace {
    /// How long messages are let come together, after those that have are taken.
    private static let pause = Duration.milliseconds(5)
    /// How long that takes at most.
    private static let taking = Duration.microseconds(500)

    private let uri: BrokerURI
    private let connection: Connection
    private let queue: Queue
    private let binding: Binding
    private let consuming: ConsumerOptions
    private let bindingInterval: Duration

    init(_ uri: BrokerURI, options: ViewerOptions) throws(LogBroadcastError) {
        self.uri = uri
        consuming = ConsumerOptions(
            acknowledgement: .onNext, prefetch: options.prefetch, prefetchBytes: options.prefetchBytes)
        bindingInterval = options.bindingInterval
        do throws(AMQPError) {
            let queue = try Queue(
                Queue.uniqueName(prefix: "logger_"), isExclusive: true, isAutoDelete: true,
                arguments: [
                    "x-max-length-bytes": .integer(Int64(options.queueBytes)), "x-overflow": "drop-head",
                ])
            let binding = try Binding(exchange: BroadcastExchange.name, queue: queue.name)
            var connecting = ConnectionOptions(
                name: "log viewer", minimumPause: min(.milliseconds(250), options.maximumPause),
                maximumPause: options.maximumPause)
            connecting.topology = Topology(
                exchanges: [try BroadcastExchange.declaration()], queues: [queue], bindings: [binding])
            connection = try Connection(to: uri, options: connecting, logger: silentLogger)
            self.queue = queue
            self.binding = binding
        } catch {
            throw LogBroadcastError(error)
        }
    }

    func watch(for desk: EventDesk) async {
        let connection = connection
        let reporting = Task.detached { await report(connection, to: desk) }
        let binding = Task.detached { [self] in await keepBound() }
        defer {
            reporting.cancel()
            binding.cancel()
        }
        while true {
            do throws(AMQPError) {
                var messages = try await connection.consume(from: queue.name, options: consuming).makeAsyncIterator()
                var lastPause = ContinuousClock.now
                while let message = try await messages.next() {
                    guard await desk.bring(message.body) else { return }
                    // Who waits for each of many messages costs a system call for each: rather wait for some.
                    guard lastPause.duration(to: .now) > Self.taking else { continue }
                    try? await Task.sleep(for: Self.pause)
                    lastPause = .now
                }
                return
            } catch {
                if error.code == .closed || error.code == .cancelled { return }
                guard await desk.bring(.disconnected(reason: "\(error)")) else { return }
                await restore()
            }
        }
    }

    /// Binds the queue now and then: when somebody deletes the exchange the binding goes with it, and nothing tells.
    private func keepBound() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: bindingInterval)
            guard !Task.isCancelled, let exchange = try? BroadcastExchange.declaration() else { return }
            _ = try? await connection.declare(exchange)
            _ = try? await connection.bind(binding)
        }
    }

    /// Makes the queue again when somebody deleted it; a failure shows when it is consumed from.
    private func restore() async {
        try? await Task.sleep(for: .seconds(1))
        _ = try? await connection.declare(queue)
        _ = try? await connection.bind(binding)
    }

    func waitUntilReady(within limit: Duration) async throws(LogBroadcastError) {
        do throws(AMQPError) {
            try await connection.waitUntilReady(within: limit)
        } catch {
            throw LogBroadcastError(error)
        }
    }

    func close() async { await connection.close(within: .seconds(1)) }
}

/// Tells when a connection is made and lost; of attempts that fail the first, and those that fail for another reason.
private func report(_ connection: Connection, to desk: EventDesk) async {
    var isUp = false
    var said = ""
    for await state in connection.states {
        switch state {
        case .connected, .blocked:
            guard !isUp else { continue }
            (isUp, said) = (true, "")
            _ = await desk.bring(.connected("\(connection.uri)"))
        case .waiting(let error, _):
            isUp = false
            guard said != "\(error)" else { continue }
            said = "\(error)"
            _ = await desk.bring(.disconnected(reason: said))
        case .connecting, .closed: continue
        }
    }
}
