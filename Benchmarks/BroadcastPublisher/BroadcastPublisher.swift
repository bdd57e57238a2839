import AMQP
import Logging
import Synchronization

/// Publishes 200-byte messages with a window of confirms, or consumes them, and prints the seconds it took.
@main struct BroadcastPublisher {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 6, let count = Int(arguments[4]), let window = Int(arguments[5]) else {
            print("usage: broadcast-publisher publish|async|consume PORT EXCHANGE-OR-QUEUE MESSAGES WINDOW")
            return
        }
        let connection = try Connection(
            to: BrokerURI("amqp://127.0.0.1:\(arguments[2])"), logger: Logger(label: "bench"))
        try await connection.waitUntilReady(within: .seconds(10))
        let start = ContinuousClock.now
        switch arguments[1] {
        case "publish": try await publish(over: connection, to: arguments[3], count, window)
        case "async": try await publishInTasks(over: connection, to: arguments[3], count, window)
        default: try await consume(over: connection, from: arguments[3], count, window)
        }
        print((ContinuousClock.now - start) / .seconds(1))
        await connection.close()
    }

    private static func publish(
        over connection: Connection, to exchange: String, _ count: Int, _ window: Int
    ) async throws {
        let (done, continuation) = AsyncStream<Void>.makeStream()
        let source = ConstantSource(route: try Route(exchange: exchange), count: count) { continuation.finish() }
        let publisher = try connection.makePublisher(for: source, window: window)
        for await _ in done {}
        publisher.close()
    }

    private static func publishInTasks(
        over connection: Connection, to exchange: String, _ count: Int, _ window: Int
    ) async throws {
        let publisher = try connection.makePublisher(window: window)
        let route = try Route(exchange: exchange)
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: 200)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<window {
                group.addTask { for _ in 0..<(count / window) { try await publisher.publish(body, to: route) } }
            }
            try await group.waitForAll()
        }
    }

    private static func consume(
        over connection: Connection, from queue: String, _ count: Int, _ window: Int
    ) async throws {
        let consumer = try await connection.consume(
            from: queue, options: ConsumerOptions(acknowledgement: .onNext, prefetch: window))
        var left = count
        for try await _ in consumer {
            left -= 1
            if left == 0 { break }
        }
    }
}

/// The same message again and again.
final class ConstantSource: MessageSource {
    private struct State {
        var sent = 0
        var confirmed = 0
    }

    private let state = Mutex(State())
    private let route: Route
    private let count: Int
    private let body = [UInt8](repeating: UInt8(ascii: "x"), count: 200)
    private let done: @Sendable () -> Void

    init(route: Route, count: Int, done: @escaping @Sendable () -> Void) {
        self.route = route
        self.count = count
        self.done = done
    }

    func publish(into window: inout PublishWindow) {
        var sent = state.withLock(\.sent)
        body.withUnsafeBytes { body in
            while sent < count, window.publish(body, to: route) != nil { sent += 1 }
        }
        state.withLock { $0.sent = sent }
    }

    func settled(_ sequences: ClosedRange<UInt64>, _ outcome: PublishOutcome) {
        guard case .confirmed = outcome else { fatalError("a message was not confirmed: the numbers mean nothing") }
        let isDone = state.withLock { state in
            state.confirmed += sequences.count
            return state.confirmed == count
        }
        if isDone { done() }
    }
}
