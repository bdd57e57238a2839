import Gearman
import Logging
import ServiceLifecycle
import Synchronization
import TestServers
import Testing

/// Runs a worker while `body` does, then stops it in good order; `body` gets a closure that does so earlier.
func withWorker<Value>(
    _ worker: Worker, isolation: isolated (any Actor)? = #isolation,
    _ body: (_ stop: @escaping @Sendable () async throws -> Void) async throws -> Value
) async throws -> Value {
    let group = ServiceGroup(services: [worker], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let running = Task { try await group.run() }
    let stop = { @Sendable in
        await group.triggerGracefulShutdown()
        try await running.value
    }
    do {
        let value = try await body(stop)
        try await stop()
        return value
    } catch {
        running.cancel()
        _ = try? await running.value
        throw error
    }
}

/// A worker that answers with what it gets, on one job server, while `body` runs.
func withEcho<Value>(
    _ function: String = "echo", on port: Int, isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws -> Value
) async throws -> Value {
    let worker = try Worker(
        function: function, servers: [local(port)], logger: quietLogger, handler: { .complete($0.workload) })
    return try await withWorker(worker) { _ in
        #expect(await worker.waitUntilReady() == .registered)
        return try await body()
    }
}

/// A job server on this machine.
func local(_ port: Int) throws -> JobServer { try JobServer(host: "127.0.0.1", port: port) }

let quietLogger = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }

/// Keeps what is logged, for tests that look for it.
final class LogRecorder: Sendable {
    private let entries = Mutex<[String]>([])

    /// What was logged: level, message and metadata, an entry each.
    var messages: [String] { entries.withLock { $0 } }

    var logger: Logger {
        var logger = Logger(label: "recorder") { [self] _ in Handler(recorder: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let metadata = metadata.merging(event.metadata ?? [:]) { $1 }
            let text = metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            recorder.entries.withLock { $0.append("\(event.level) \(event.message) \(text)") }
        }
    }
}

/// A gate at which handlers wait until a test opens it.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var arrived = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())

    /// How many have come to the gate so far.
    var arrived: Int { state.withLock { $0.arrived } }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                state.arrived += 1
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// The code of the ``GearmanError`` that `body` throws; `nil` when it throws none.
func gearmanCode(isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void) async -> GearmanError
    .Code?
{
    do {
        try await body()
        return nil
    } catch {
        return (error as? GearmanError)?.code
    }
}
