internal import CRabbitMQ
internal import DedicatedThread

/// The channel for declarations: first restores the topology, then does what the program asks, one after the other.
final class ControlChannel: ChannelUser {
    private enum Phase {
        case closed
        case idle
        case restoring(Operation)
        case performing(Request)
    }

    private var topology: Topology
    private var toRestore: [Operation]
    private var isRestored = false
    private var requests: [Request] = []
    private var phase = Phase.closed
    private var channel: UInt16 = 0

    init(topology: Topology) {
        self.topology = topology
        toRestore = topology.operations
    }

    /// Takes a request; what is asked while there is no connection is done when there is one.
    func add(_ request: Request) { requests.append(request) }

    /// Restores the topology once more.
    ///
    /// - Returns: Whether there is anything to restore.
    func restoreAgain() -> Bool {
        toRestore = topology.operations
        isRestored = toRestore.isEmpty
        return !isRestored
    }

    /// Sends the next request, when the one before was answered.
    func proceed(over session: Session) throws(AMQPError) {
        // A declaration is at most its names and 16 KiB of arguments.
        guard case .idle = phase, session.hasRoom(for: 20_000) else { return }
        if !toRestore.isEmpty {
            let operation = toRestore.removeFirst()
            phase = .restoring(operation)
            return try send(operation, over: session)
        }
        if !isRestored {
            isRestored = true
            try session.restored()
        }
        guard !requests.isEmpty else { return }
        let request = requests.removeFirst()
        phase = .performing(request)
        try send(request.operation, over: session)
    }

    func opened(_ channel: UInt16, of session: Session) throws(AMQPError) {
        self.channel = channel
        session.settled(channel)
        phase = .idle
        try proceed(over: session)
    }

    func receive(_ method: amqp_method_t, over session: Session) throws(AMQPError) {
        let status: QueueStatus?
        switch method.id {
        case AMQP_QUEUE_DECLARE_OK_METHOD:
            let fields = try method.fields(amqp_queue_declare_ok_t.self)
            status = QueueStatus(messages: Int(fields.message_count), consumers: Int(fields.consumer_count))
        case AMQP_QUEUE_PURGE_OK_METHOD:
            status = QueueStatus(
                messages: Int(try method.fields(amqp_queue_purge_ok_t.self).message_count), consumers: 0)
        case AMQP_QUEUE_DELETE_OK_METHOD:
            status = QueueStatus(
                messages: Int(try method.fields(amqp_queue_delete_ok_t.self).message_count), consumers: 0)
        case AMQP_EXCHANGE_DECLARE_OK_METHOD, AMQP_EXCHANGE_DELETE_OK_METHOD, AMQP_QUEUE_BIND_OK_METHOD,
            AMQP_QUEUE_UNBIND_OK_METHOD:
            status = nil
        default: throw unexpected(method)
        }
        if case .performing(let request) = phase {
            topology.record(request.operation)
            request.answer.offer(.success(status))
        }
        phase = .idle
        try proceed(over: session)
    }

    func receive(_ content: ContentFrame, over session: Session) throws(AMQPError) {}

    func refused(_ error: AMQPError, by session: Session) throws(AMQPError) {
        let phase = phase
        self.phase = .closed
        switch phase {
        case .restoring(let operation):
            // Nothing can be relied on without it: the whole connection is tried again later.
            throw refusal(of: operation, error)
        case .performing(let request):
            request.answer.offer(.failure(refusal(of: request.operation, error)))
        case .closed, .idle: break
        }
        try session.open(self)
    }

    func disconnected(_ error: AMQPError) {
        // Whatever it was, doing it twice does no harm.
        if case .performing(let request) = phase { requests.insert(request, at: 0) }
        phase = .closed
        toRestore = topology.operations
        isRestored = false
    }

    /// Tells everybody who waits that there will be no answer.
    func end(_ error: AMQPError) {
        disconnected(error)
        for request in requests { request.answer.offer(.failure(error)) }
        requests = []
    }

    private func refusal(of operation: Operation, _ error: AMQPError) -> AMQPError {
        AMQPError(
            .channelClosed, "cannot \(operation): \(error.replyCode ?? 0) \(error.replyText ?? "")",
            replyCode: error.replyCode, replyText: error.replyText)
    }

    private func send(_ operation: Operation, over session: Session) throws(AMQPError) {
        let memory = CMemory()
        // The pointers in the method go to `memory`.
        defer { withExtendedLifetime(memory) {} }
        switch operation {
        case .declareExchange(let exchange):
            try session.send(
                AMQP_EXCHANGE_DECLARE_METHOD,
                amqp_exchange_declare_t(
                    ticket: 0, exchange: memory.bytes(exchange.name), type: memory.bytes(exchange.kind.name),
                    passive: 0, durable: exchange.isDurable ? 1 : 0, auto_delete: exchange.isAutoDelete ? 1 : 0,
                    internal: 0, nowait: 0, arguments: memory.table(exchange.arguments)), on: channel)
        case .declareQueue(let queue):
            try session.send(
                AMQP_QUEUE_DECLARE_METHOD,
                amqp_queue_declare_t(
                    ticket: 0, queue: memory.bytes(queue.name), passive: 0, durable: queue.isDurable ? 1 : 0,
                    exclusive: queue.isExclusive ? 1 : 0, auto_delete: queue.isAutoDelete ? 1 : 0, nowait: 0,
                    arguments: memory.table(queue.arguments)), on: channel)
        case .inspectQueue(let name):
            try session.send(
                AMQP_QUEUE_DECLARE_METHOD,
                amqp_queue_declare_t(
                    ticket: 0, queue: memory.bytes(name), passive: 1, durable: 0, exclusive: 0, auto_delete: 0,
                    nowait: 0, arguments: amqp_empty_table), on: channel)
        case .bind(let binding):
            try session.send(
                AMQP_QUEUE_BIND_METHOD,
                amqp_queue_bind_t(
                    ticket: 0, queue: memory.bytes(binding.queue), exchange: memory.bytes(binding.exchange),
                    routing_key: memory.bytes(binding.routingKey), nowait: 0,
                    arguments: memory.table(binding.arguments)), on: channel)
        case .unbind(let binding):
            try session.send(
                AMQP_QUEUE_UNBIND_METHOD,
                amqp_queue_unbind_t(
                    ticket: 0, queue: memory.bytes(binding.queue), exchange: memory.bytes(binding.exchange),
                    routing_key: memory.bytes(binding.routingKey), arguments: memory.table(binding.arguments)),
                on: channel)
        case .deleteExchange(let name):
            try session.send(
                AMQP_EXCHANGE_DELETE_METHOD,
                amqp_exchange_delete_t(ticket: 0, exchange: memory.bytes(name), if_unused: 0, nowait: 0), on: channel)
        case .deleteQueue(let name):
            try session.send(
                AMQP_QUEUE_DELETE_METHOD,
                amqp_queue_delete_t(ticket: 0, queue: memory.bytes(name), if_unused: 0, if_empty: 0, nowait: 0),
                on: channel)
        case .purgeQueue(let name):
            try session.send(
                AMQP_QUEUE_PURGE_METHOD, amqp_queue_purge_t(ticket: 0, queue: memory.bytes(name), nowait: 0),
                on: channel)
        }
    }
}
