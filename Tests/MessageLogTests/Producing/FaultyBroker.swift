import CivilTime
import MessageLog
import Synchronization
import SystemPackage

/// A broker in memory that fails as a test says: what a real one does only by chance.
final class FaultyBroker: Broker {
    /// What an append does.
    enum Step: Sendable {
        /// Stores the messages.
        case store
        /// Stores nothing, and throws.
        case fail(MessageLogError.Code)
        /// Stores the messages, and throws that it is not known.
        case storeUnknown
        /// Answers only when ``FaultyBroker/proceed()`` is called, or the task is cancelled; then it stores.
        case hang
    }

    private struct State {
        var steps: [Step] = []
        var otherwise = Step.store
        var stored: [String] = []
        var sizes: [Int] = []
        var attempts = 0
        var hanging: [CheckedContinuation<Void, Never>] = []
        var isHanging = false
        var closedWriters = 0
    }

    let description: String
    private let state = Mutex(State())

    init(_ name: String = "scripted://one") { description = name }

    /// What the next appends do, and what those after them do.
    func script(_ steps: [Step], then otherwise: Step = .store) {
        state.withLock {
            $0.steps = steps
            $0.otherwise = otherwise
        }
    }

    /// Lets appends that hang go on.
    func proceed() {
        let hanging = state.withLock { state in
            defer { state.hanging = [] }
            return state.hanging
        }
        for continuation in hanging { continuation.resume() }
    }

    /// The bodies that are stored.
    var stored: [String] { state.withLock { $0.stored } }
    /// How many messages each append that stored had.
    var sizes: [Int] { state.withLock { $0.sizes } }
    var attempts: Int { state.withLock { $0.attempts } }
    var isHanging: Bool { state.withLock { !$0.hanging.isEmpty } }
    var closedWriters: Int { state.withLock { $0.closedWriters } }

    func makeWriter(for key: RoutingKey) async throws(MessageLogError) -> any MessageWriter { Writer(broker: self) }

    func makeReader(
        of pattern: RoutingPattern, for consumer: ConsumerName, options: ReaderOptions
    ) async throws(MessageLogError) -> any MessageReader {
        throw MessageLogError(.unsupported, "it only takes messages")
    }

    func keys(matching pattern: RoutingPattern) async throws(MessageLogError) -> [RoutingKey] { [] }

    func close() async {}

    private struct Writer: MessageWriter {
        let broker: FaultyBroker

        func append(_ batch: MessageBatch) async throws(MessageLogError) -> AppendReceipt {
            try await broker.append(batch)
        }

        func close() async { broker.state.withLock { $0.closedWriters += 1 } }
    }

    private func append(_ batch: MessageBatch) async throws(MessageLogError) -> AppendReceipt {
        let step = state.withLock { state in
            state.attempts += 1
            return state.steps.isEmpty ? state.otherwise : state.steps.removeFirst()
        }
        switch step {
        case .store: return store(batch)
        case .fail(let code): throw MessageLogError(code, "scripted: \(code)")
        case .storeUnknown:
            _ = store(batch)
            throw MessageLogError(.ambiguous, "scripted: the answer did not come")
        case .hang:
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in state.withLock { $0.hanging.append(continuation) } }
            } onCancel: {
                proceed()
            }
            if Task.isCancelled { throw MessageLogError(.cancelled, "scripted: cancelled") }
            return store(batch)
        }
    }

    private func store(_ batch: MessageBatch) -> AppendReceipt {
        state.withLock { state in
            let first = state.stored.count + 1
            state.stored += batch.map { String(decoding: $0.body, as: UTF8.self) }
            state.sizes.append(batch.count)
            return AppendReceipt(first: .sequence(UInt64(first)), last: .sequence(UInt64(state.stored.count)))
        }
    }
}

/// Options with short pauses, whose spool is in a folder of the test's.
///
/// The patience is waited for in full where a broker stays away, and has to be enough for one that is there, also while
/// the machine has other things to do.
func quickOptions(
    spool folder: String = "/nonexistent", batching: ProducerOptions.Batching = ProducerOptions.Batching(),
    spooling: ProducerOptions.Spooling = .several, patience: Duration? = .milliseconds(500)
) -> ProducerOptions {
    ProducerOptions(
        batching: batching, patience: patience, pauses: .milliseconds(1) ... .milliseconds(5), spooling: spooling,
        spoolFolder: .init(folder), spoolLimit: 1 << 24)
}

/// The code of the error of this module that `body` throws, if it throws one.
func failureCode(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
) async -> MessageLogError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? MessageLogError)?.code
    }
}
