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
    private let acknowledgements: Acknowledgements?
    private let finalReport = Mutex(ProduceReport())

    /// Why brokers refused messages.
    private final class Refusals: Sendable {
        private struct State {
            var first: [String: Refusal] = [:]
            var isByAll = false
        }

        private let state = Mutex(State())

        /// Whether messages were refused by all brokers.
        var isByAll: Bool { state.withLock { $0.isByAll } }
        /// The first refusal of each broker.
        var first: [String: Refusal] { state.withLock { $0.first } }

        /// Notes what became of messages.
        ///
        /// - Returns: Whether these are the first that all brokers refused.
        func note(_ receipt: Receipt, from line: UInt64) -> Bool {
            guard !receipt.isComplete else { return false }
            return state.withLock { state in
                for place in receipt.brokers {
                    guard case .refused(let error) = place.outcome, state.first[place.broker] == nil else { continue }
                    state.first[place.broker] = Refusal(line: line, reason: error)
                }
                let isFirst = !state.isByAll && receipt.refusals.count == receipt.brokers.count
                state.isByAll = state.isByAll || isFirst
                return isFirst
            }
        }
    }

    init(
        _ key: RoutingKey, _ lines: LineBatches, to brokers: [any Broker], _ options: ProducerOptions, _ meter: Meter,
        acknowledging acknowledgements: Acknowledgements?
    ) throws(CommandError) {
        self.key = key
        self.lines = lines
        self.meter = meter
        self.acknowledgements = acknowledgements
        let refusals = Refusals()
        self.refusals = refusals
        do throws(MessageLogError) {
            producer = try ConcurrentProducer(routingKey: key.description, brokers: brokers, options: options) {
                batch in
                meter.add(batch.numbers.count)
                acknowledgements?.note(batch)
                let first = batch.numbers.lowerBound
                guard let receipt = batch.receipt(of: first), refusals.note(receipt, from: first) else { return }
                // Whoever waits for the next line is not to wait until there is one, and what was gathered meanwhile is not
                // to be tried for as long as the first lines were, batch by batch.
                lines.stop()
                Task { for broker in brokers { await broker.close() } }
            }
        } catch {
            throw CommandError(error)
        }
    }

    /// What became of the messages.
    var report: ProduceReport { finalReport.withLock { $0 } }

    /// Goes on until the input ends, or no broker takes messages any more; then brokers are closed.
    ///
    /// - Returns: Why it failed; nil when each broker has every message, or will have it.
    func run() async -> CommandError? {
        var failure: CommandError?
        do throws(CommandError) {
            while let batch = try await lines.next(), !refusals.isByAll { try await send(batch) }
        } catch {
            failure = error
        }
        // What became of each message is told by the reports.
        _ = await caught { () throws(MessageLogError) in try await producer.flush() }
        await catchUp()
        let report = ProduceReport(
            key, await producer.counts, refusals.first, unreadBehind: await lines.isWhole ? nil : producer.taken)
        await producer.close()
        await acknowledgements?.say()
        finalReport.withLock { $0 = report }
        meter.clear()
        if let failure = failure ?? report.failure { return failure }
        return await acknowledgements?.failure
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

/// Where a broker began to refuse lines.
struct Refusal: Sendable {
    /// The number of the line, which is 1 for the first of the input.
    let line: UInt64
    let reason: MessageLogError
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

    /// - Parameters:
    ///   - key: What the messages are about.
    ///   - counts: What became of them at each broker.
    ///   - refusals: The first refusal of each broker.
    ///   - last: The last line that was sent, when the input had more; nil when it was read to its end.
    init(_ key: RoutingKey, _ counts: [BrokerCounts], _ refusals: [String: Refusal], unreadBehind last: UInt64?) {
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
        let failed = counts.filter { $0.refused > 0 }
        guard let first = failed.first else {
            failure = nil
            return
        }
        var messages = failed.map { count in
            var text = "\(counted(Int(count.refused))) of \(key) not stored at \(count.broker)"
            guard let refusal = refusals[count.broker] else { return text }
            text += count.refused > 1 ? ", the first of them line \(refusal.line)" : ", line \(refusal.line)"
            return text + ": \(refusal.reason)"
        }
        if let last {
            messages.append("line \(last) is the last that was sent: what the input has behind it is not stored")
        }
        let reason = refusals[first.broker]?.reason
        failure = CommandError(
            reason.map { CommandError($0).exitCode } ?? .failure, messages: messages, cause: reason)
    }
}
