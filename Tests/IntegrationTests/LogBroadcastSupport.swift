import LogBroadcast
import Logging
import Synchronization
import TestServers

/// A viewer, and all that it has seen.
final class Watcher: Sendable {
    struct Seen {
        var records: [LogRecord] = []
        /// The texts of the records: they are asked for again and again.
        var messages: Set<String> = []
        var foreign: [[UInt8]] = []
        var missed: UInt64 = 0
        var connected = 0
        var disconnected: [String] = []

        /// The records of the test's own loggers.
        var own: [LogRecord] { records.filter { $0.logger != "libra.broadcast" } }
        /// How many records their programs say they dropped.
        var dropped: UInt64 {
            records.reduce(0) { sum, record in
                guard record.logger == "libra.broadcast", case .string(let count)? = record.metadata["dropped"] else {
                    return sum
                }
                return sum + (UInt64(count) ?? 0)
            }
        }
    }

    let viewer: BroadcastViewer
    private let state = Mutex(Seen())
    private let watching = Mutex<Task<Void, Never>?>(nil)

    init(_ urls: String..., options: ViewerOptions = ViewerOptions(), isReading: Bool = true) throws {
        viewer = try BroadcastViewer(from: urls.map { try BroadcastURL($0) }, options: options)
        if isReading { read() }
    }

    /// Begins to read.
    func read() {
        let task = Task { [viewer, weak self] in
            for await event in viewer { self?.note(event) }
        }
        watching.withLock { $0 = task }
    }

    var seen: Seen { state.withLock { $0 } }

    private func note(_ event: BroadcastEvent) {
        state.withLock { seen in
            switch event {
            case .record(let record):
                seen.records.append(record)
                seen.messages.insert(record.message)
            case .foreign(let bytes): seen.foreign.append(bytes)
            case .missed(_, _, let count): seen.missed += count
            case .connected: seen.connected += 1
            case .disconnected(let reason): seen.disconnected.append(reason)
            }
        }
    }

    /// Waits until it has seen a record with this message.
    func sees(_ message: String, within limit: Duration = .seconds(60)) async throws {
        try await eventually(within: limit, "the record '\(message)'") {
            state.withLock { $0.messages.contains(message) }
        }
    }

    func close() async { await viewer.close() }
}

/// Options of a viewer that is back soon when its broker is: those who log wait for two seconds, and for nobody longer.
var eagerOptions: ViewerOptions {
    var options = ViewerOptions()
    options.maximumPause = .milliseconds(50)
    return options
}

/// What a program of the tests says of itself.
func quietOptions(bufferBytes: Int = 4 << 20) -> BroadcastOptions {
    var options = BroadcastOptions()
    options.machine = "lb-1"
    options.program = "test"
    options.bufferBytes = bufferBytes
    return options
}

/// A logger that writes to a broadcast alone.
func broadcastLogger(_ broadcast: Broadcast, label: String = "test") -> Logger {
    Logger(label: label) { BroadcastLogHandler(label: $0, to: broadcast, level: .trace) }
}

/// The error of the kind that the broadcast throws, if `body` throws one.
func broadcastError(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
) async -> LogBroadcastError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? LogBroadcastError
    }
}

/// Runs Python with the packages of the tests.
func python(_ script: String, _ arguments: String...) async throws -> String {
    let (code, output) = try await run(
        "/usr/bin/python3", ["-c", script] + arguments, environment: try PythonPackages.environment(),
        within: .seconds(60))
    guard code == 0 else { throw TestServerError("python3: \(output)") }
    return output
}
