import Glibc
import Logging
import LogTransport
import ZeroMQ

/// A receiver that a test can kill: writes the number of each line to a file, and then acknowledges it.
///
/// Its arguments are `connect` or `bind`, an endpoint, a file, and the milliseconds that a batch takes. A file is a session's
/// after the other; a line that may be a repeat has an `R` behind its number.
@main struct ReliableProbe {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let pause = UInt32(arguments[4]) else { exit(64) }
        let endpoint = try Endpoint(arguments[2])
        var options = ReliableInletOptions(
            binds: arguments[1] == "bind" ? [endpoint] : [], connects: arguments[1] == "bind" ? [] : [endpoint])
        options.times.heartbeat = .milliseconds(100)
        options.times.silence = .milliseconds(1000)
        options.reconnectInterval = .milliseconds(50)
        let file = open(arguments[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { exit(73) }
        let inlet = try ReliableInlet(options, logger: Logger(label: "probe"))
        while let batch = try await inlet.next() {
            var text = ""
            batch.forEachLine { line, number in
                // The line is its number, so that a mixed-up one is seen.
                text += "\(number) \(String(decoding: line, as: UTF8.self))\(batch.isRedelivered ? " R" : "")\n"
                return true
            }
            let count = text.utf8.count
            guard write(file, text, count) == count else { exit(74) }
            inlet.processed(batch)
            usleep(pause * 1000)
        }
    }
}
