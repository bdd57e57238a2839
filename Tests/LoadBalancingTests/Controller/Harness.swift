import JSON
import LoadBalancing
import Logging
import Synchronization
import Testing

/// A controller over a stub, and what it logs.
struct Harness {
    let driver: StubDriver
    let controller: Controller
    let log = LogLines()
    let reports = ChangeReports()

    init(
        driver: StubDriver = StubDriver(),
        level: Logger.Level = .debug,
        reachesNetwork: Bool = true
    ) {
        self.driver = driver
        var logger = Logger(label: "test") { [log] _ in LogLines.Handler(lines: log) }
        logger.logLevel = level
        controller = Controller(
            driver: driver,
            networkCheck: { reachesNetwork },
            jobServers: {
                [
                    JobServerReport(host: "localhost:4730", isConnected: true),
                    JobServerReport(host: "[::1]:4730", isConnected: false),
                ]
            },
            onChange: { [reports] in reports.append($0) },
            logger: logger)
    }

    /// The answer to a message, which is an object in any case.
    func reply(to text: String) async throws -> JSONValue {
        let value = try JSONValue(parsing: await controller.reply(to: Array(text.utf8)))
        #expect(value.object != nil)
        return value
    }
}

/// Keeps reports of changes for a test.
final class ChangeReports: Sendable {
    private let reports = Mutex<[ChangeReport]>([])

    var all: [ChangeReport] { reports.withLock { $0 } }

    func append(_ report: ChangeReport) { reports.withLock { $0.append(report) } }
}

/// Keeps log lines for a test.
final class LogLines: Sendable {
    private let lines = Mutex<[(level: Logger.Level, text: String)]>([])

    func at(_ level: Logger.Level) -> [String] {
        lines.withLock { $0.filter { $0.level == level }.map(\.text) }
    }

    struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        init(lines: LogLines) {
            self.lines = lines
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let pairs = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            lines.lines.withLock {
                $0.append((event.level, ([event.message.description] + pairs).joined(separator: " ")))
            }
        }
    }
}

/// The element that tells old clients what is wrong.
func badRequest(_ text: String) -> JSONValue {
    [
        "code": "400", "message": "Validation fault", "details": "The object is not valid",
        "validationErrors": ["message": .string(text)],
    ]
}
