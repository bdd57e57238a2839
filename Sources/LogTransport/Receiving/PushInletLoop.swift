internal import Logging
internal import Synchronization
internal import ZeroMQ

/// What the thread of a ``PushInlet`` does.
final class PushInletLoop {
    /// Messages of one sender that libzmq reads ahead.
    ///
    /// Lines are short; batches are 64 KiB.
    private static let mark = 200

    let endpoints: [Endpoint]
    let damaged = Atomic<UInt64>.Box()
    private let queue: PushQueue
    private let wake: EventDescriptor
    private var damageLog: DamageLog
    private var socket: Socket
    private var watch: PeerWatch
    private var message = Message()

    init(
        _ options: ReceiverOptions, queue: PushQueue, wake: EventDescriptor, logger: Logger?
    ) throws(LogTransportError) {
        guard !options.bind.isEmpty || !options.connect.isEmpty else {
            throw LogTransportError(.invalidArgument, "there is no endpoint to bind or to connect to")
        }
        self.queue = queue
        self.wake = wake
        damageLog = DamageLog(logger)
        do throws(ZeroMQError) {
            let context = try Context()
            var settings = SocketOptions()
            settings.receiveHighWaterMark = Self.mark
            settings.reconnectInterval = options.reconnectInterval
            settings.maximumMessageSize = options.maximumMessageSize
            settings.curve = options.curve
            var socket = try Socket(.pull, in: context, options: settings)
            let redialing = Redialing(options.connect, interval: options.reconnectInterval)
            watch = try PeerWatch(socket, in: context, redialing: redialing, logger: logger)
            var bound: [Endpoint] = []
            for endpoint in options.bind { bound.append(try socket.bind(endpoint)) }
            for endpoint in options.connect { try socket.connect(endpoint) }
            endpoints = bound
            self.socket = socket
        } catch {
            throw LogTransportError(opening: error)
        }
    }

    /// Receives until the queue is closed.
    func run() throws(LogTransportError) {
        defer { damageLog.finish() }
        do throws(ZeroMQError) {
            while true {
                let demand = queue.demand
                if demand.isClosed { return }
                var items = [PollItem(descriptor: wake.number, .input), watch.pollItem]
                if demand.hasRoom { items.append(PollItem(socket, .input)) }
                try poll(&items, timeout: watch.deadline.map { max(.zero, $0 - .now) })
                wake.clear()
                try watch.advance()
                for endpoint in watch.dueForRedialing() { try socket.reconnect(endpoint) }
                if demand.hasRoom { try receive() }
            }
        } catch {
            throw LogTransportError(.systemError, "the receiver's socket fails", cause: error)
        }
    }

    private func receive() throws(ZeroMQError) {
        var batch = PushBatch()
        while !batch.isEnough, try socket.receive(into: &message, wait: false) {
            // An empty frame before others is a topic, and none of the lines.
            while message.count == 0 && message.hasMore { _ = try socket.receive(into: &message, wait: true) }
            add(to: &batch)
            while message.hasMore {
                _ = try socket.receive(into: &message, wait: true)
                add(to: &batch)
            }
        }
        guard !batch.isEmpty else { return }
        queue.put(batch)
    }

    private func add(to batch: inout PushBatch) {
        do throws(LogTransportError) {
            try batch.add(message)
        } catch {
            damaged.value.add(1, ordering: .relaxed)
            damageLog.note(error)
        }
    }
}
