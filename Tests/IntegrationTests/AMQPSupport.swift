import AMQP
import Logging
import Synchronization
import TestServers

/// A connection to a broker on this machine while `body` runs.
func withConnection<Value>(
    to port: Int, user: String = "guest:guest", host: String = "/", options: ConnectionOptions = quickOptions(),
    isolation: isolated (any Actor)? = #isolation, _ body: (Connection) async throws -> Value
) async throws -> Value {
    let path = host == "/" ? "" : "/\(host)"
    let connection = try Connection(
        to: BrokerURI("amqp://\(user)@127.0.0.1:\(port)\(path)"), options: options, logger: quietLogger)
    do {
        try await connection.waitUntilReady(within: .seconds(30))
        let value = try await body(connection)
        await connection.close()
        return value
    } catch {
        await connection.close()
        throw error
    }
}

/// Options with short pauses, so that tests do not wait long for a connection to come back.
func quickOptions(topology: Topology = Topology(), heartbeat: Duration = .seconds(20)) -> ConnectionOptions {
    ConnectionOptions(
        heartbeat: heartbeat, connectTimeout: .seconds(5), minimumPause: .milliseconds(20),
        maximumPause: .milliseconds(200), topology: topology)
}

/// The error of the kind that this module throws, if `body` throws one.
func amqpError(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
) async -> AMQPError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? AMQPError
    }
}

/// Why a connection fails, or has failed, first: the states that follow may be too many to be kept for who comes late.
func firstFailure(of connection: Connection) -> Task<AMQPError?, Never> {
    let states = connection.states
    return Task {
        for await state in states { if case .waiting(let error, _) = state { return error } }
        return nil
    }
}

/// Publishes numbers as text for as long as it may, through the synchronous path, and remembers what became of them.
final class NumberSource: MessageSource {
    private struct Record {
        var limit = 0
        var next = 1
        var numbers: [UInt64: Int] = [:]
        var again: [Int] = []
        var confirmed: Set<Int> = []
        var refused: [Int] = []
        var returned: [ReturnedMessage] = []
        var isEnded = false
        var asked = 0
    }

    private let record = Mutex(Record())
    private let route: Route
    private let size: Int

    init(route: Route, limit: Int, size: Int = 0) {
        self.route = route
        self.size = size
        record.withLock { $0.limit = limit }
    }

    func publish(into window: inout PublishWindow) {
        record.withLock { $0.asked += 1 }
        while true {
            let number: Int? = record.withLock { record in
                record.again.first ?? (record.next <= record.limit ? record.next : nil)
            }
            guard let number else { return }
            var text = Array("\(number)".utf8)
            if text.count < size { text += Array(repeating: UInt8(ascii: " "), count: size - text.count) }
            let sequence = text.withUnsafeBytes { window.publish($0, to: route) }
            guard let sequence else { return }
            record.withLock { record in
                if record.again.isEmpty { record.next += 1 } else { record.again.removeFirst() }
                record.numbers[sequence] = number
            }
        }
    }

    func settled(_ sequences: ClosedRange<UInt64>, _ outcome: PublishOutcome) {
        record.withLock { record in
            let numbers = sequences.compactMap { record.numbers.removeValue(forKey: $0) }
            switch outcome {
            case .confirmed: record.confirmed.formUnion(numbers)
            case .refused: record.refused += numbers
            case .lost: record.again += numbers
            }
        }
    }

    func returned(_ message: ReturnedMessage) { record.withLock { $0.returned.append(message) } }

    func ended(_ error: AMQPError) { record.withLock { $0.isEnded = true } }

    /// Publishes so many more, and no others.
    ///
    /// - Returns: How many there are in all.
    func end(after count: Int) -> Int {
        record.withLock { record in
            record.limit = record.next - 1 + count
            return record.limit
        }
    }

    var confirmedCount: Int { record.withLock { $0.confirmed.count } }

    /// How often the connection has asked for messages.
    var asked: Int { record.withLock { $0.asked } }
}

/// The number that a ``NumberSource`` has put into a message.
func number(of delivery: Delivery) -> Int? {
    Int(String(decoding: delivery.body.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self))
}

/// Takes messages of a queue in the background and keeps their numbers.
final class NumberSink: Sendable {
    private let numbers = Mutex<[Int]>([])

    init(_ consumer: Consumer, acknowledging: Bool) {
        Task { [self] in
            for try await delivery in consumer {
                if let number = number(of: delivery) { numbers.withLock { $0.append(number) } }
                if acknowledging { delivery.acknowledge() }
            }
        }
    }

    var all: [Int] { numbers.withLock { $0 } }
}
