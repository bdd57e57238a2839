/// Exchanges, queues and bindings that a connection declares whenever it is made.
public struct Topology: Sendable, Hashable {
    /// The exchanges, declared first.
    public private(set) var exchanges: [Exchange]
    /// The queues, declared after the exchanges.
    public private(set) var queues: [Queue]
    /// The bindings, made last.
    public private(set) var bindings: [Binding]

    /// Describes a topology.
    public init(exchanges: [Exchange] = [], queues: [Queue] = [], bindings: [Binding] = []) {
        self.exchanges = exchanges
        self.queues = queues
        self.bindings = bindings
    }

    /// What has to be asked of the broker, in order.
    var operations: [Operation] {
        exchanges.map(Operation.declareExchange) + queues.map(Operation.declareQueue) + bindings.map(Operation.bind)
    }

    /// Remembers what an operation that succeeded has changed.
    mutating func record(_ operation: Operation) {
        switch operation {
        case .declareExchange(let exchange):
            exchanges.removeAll { $0.name == exchange.name }
            exchanges.append(exchange)
        case .declareQueue(let queue):
            queues.removeAll { $0.name == queue.name }
            queues.append(queue)
        case .bind(let binding):
            if !bindings.contains(binding) { bindings.append(binding) }
        case .unbind(let binding):
            bindings.removeAll { $0 == binding }
        case .deleteExchange(let name):
            exchanges.removeAll { $0.name == name }
            bindings.removeAll { $0.exchange == name }
        case .deleteQueue(let name):
            queues.removeAll { $0.name == name }
            bindings.removeAll { $0.queue == name }
        case .inspectQueue, .purgeQueue: break
        }
    }
}

/// Something that is asked of the broker and answered.
enum Operation: Sendable, Hashable {
    case declareExchange(Exchange)
    case declareQueue(Queue)
    case bind(Binding)
    case unbind(Binding)
    case deleteExchange(String)
    case deleteQueue(String)
    case inspectQueue(String)
    case purgeQueue(String)
}

extension Operation: CustomStringConvertible {
    var description: String {
        switch self {
        case .declareExchange(let exchange): "declare exchange '\(exchange.name)'"
        case .declareQueue(let queue): "declare queue '\(queue.name)'"
        case .bind(let binding): "bind queue '\(binding.queue)' to exchange '\(binding.exchange)'"
        case .unbind(let binding): "unbind queue '\(binding.queue)' from exchange '\(binding.exchange)'"
        case .deleteExchange(let name): "delete exchange '\(name)'"
        case .deleteQueue(let name): "delete queue '\(name)'"
        case .inspectQueue(let name): "look at queue '\(name)'"
        case .purgeQueue(let name): "purge queue '\(name)'"
        }
    }
}
