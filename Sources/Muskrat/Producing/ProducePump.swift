internal import ArgumentParser
internal import CommandKit
internal import MessageLog
internal import Synchronization

/// Brings lines to the brokers of a key.
final class ProducePump: Sendable {
    private let lines: LineBatches
    private let producer: ConcurrentProducer
    private let key: RoutingKey
    private let meter: Meter
    private let refusals: Refusals
    private let finalReport = Mutex(ProduceReport())

    /// Why brokers refused messages.
    private final class Refusals: Sendable {
        private struct State {
            var first: [String: MessageLogError] = [:]
            var isByAll = false
        }

        private let state = Mutex(State())

        /// Whether messages were refused by all brokers.
        var isByAll: Bool { state.withLock { $0.isByAll } }
        /// The first refusal of each broker.
        var first: [String: MessageLogError] { state.withLock { $0.first } }

        func note(_ receipt: Receipt) {
            guard !receipt.isComplete else { return }
            state.withLock { state in
                for place in receipt.brokers {
                    guard case .refused(let error) = place.outcome else { continue }
                    state.first[place.broker] = state.first[place.broker] ?? error
                }
                if receipt.refusals.count == receipt.brokers.count { state.isByAll = true }
            }
        }
    }

    init(
        _ key: RoutingKey, _ lines: LineBatches, to brokers: [any Broker], _ options: ProducerOptions, _ meter: Meter
    ) throws(CommandError) {
        self.key = key
        self.lines = lines
        self.meter = meter
        let refusals = Refusals()
        self.refusals = refusals
        do throws(MessageLogError) {
            producer = try ConcurrentProducer(routingKey: key.description, brokers: brokers, options: options) {
                batch in
                meter.add(batch.numbers.count)
                if let receipt = batch.receipt(of: batch.numbers.lowerBound) { refusals.note(receipt) }
            }
        } catch {
            throw CommandError(error)
        }
    }

    /// What became of the messages.
    var report: ProduceReport { finalReport.withLock { $0 } }

    /// Goes on until the input ends, or no broker takes messages any more.
    ///
    /// - Returns: Why it failed; nil when each broker has every message, or will have it.
    func run() async -> CommandError? {
        var failure: CommandError?
        do throws(CommandError) {
            while !refusals.isByAll, let batch = try await lines.next() { try await send(batch) }
            try await forCommand { () throws(MessageLogError) in try await producer.flush() }
        } catch {
            failure = error
        }
        // What became of each message is told by the reports.
        _ = await caught { () throws(MessageLogError) in try await producer.flush() }
        await catchUp()
        let report = ProduceReport(key, await producer.counts, refusals.first)
        await producer.close()
        finalReport.withLock { $0 = report }
        meter.clear()
        return failure ?? report.failure
    }

    /// How long a broker that is behind gets for each of the steps in which it catches up.
    private static let patience = Duration.seconds(2)

    /// Lets brokers that are back have what waits for them, for as long as it gets less and no signal has come.
    private func catchUp() async {
        var done: UInt64?
        while !lines.isStopping, !(await producer.catchUp(within: Self.patience)) {
            let now = await producer.counts.reduce(0) { $0 + $1.caughtUp }
            guard now > done ?? 0 else { return }
            done = now
        }
    }

    private func send(_ batch: MessageBatch) async throws(CommandError) {
        try await forCommand { () throws(MessageLogError) in
            while try producer.offer(batch) == nil { try await producer.waitForRoom() }
        }
    }
}

/// What became of messages at each broker, in words.
struct ProduceReport: Sendable {
    /// A line for each broker.
    let lines: [String]
    /// The first broker that refused messages, and why; nil when none did.
    let failure: CommandError?

    /// Nothing was done.
    init() {
        lines = []
        failure = nil
    }

    init(_ key: RoutingKey, _ counts: [BrokerCounts], _ refusals: [String: MessageLogError]) {
        lines = counts.map { count in
            var parts = ["\(counted(Int(count.stored))) stored"]
            if count.spooled > 0 { parts.append("\(counted(Int(count.spooled))) waiting in the spool") }
            if count.caughtUp > 0 { parts.append("\(counted(Int(count.caughtUp))) stored from the spool") }
            if count.waitingBatches > 0 {
                parts.append("\(count.waitingBatches) \(count.waitingBatches == 1 ? "batch" : "batches") in the spool")
            }
            if count.refused > 0 { parts.append("\(counted(Int(count.refused))) refused") }
            let reason = count.isBehind ? count.lastFailure.map { " (\($0))" } ?? "" : ""
            return "\(key) at \(count.broker): \(parts.joined(separator: ", "))\(reason)"
        }
        failure = counts.first { $0.refused > 0 }.map { count in
            let reason = refusals[count.broker]
            return CommandError(
                reason.map { CommandError($0).exitCode } ?? .failure,
                "\(counted(Int(count.refused))) of \(key) not stored at \(count.broker)"
                    + (reason.map { ": \($0)" } ?? ""), cause: reason)
        }
    }
}
