import CivilTime
import CommandKit
import LogBroadcast
import Logging

/// A record as a line for people: `2026-11-21T01:23:45.678Z lb-1 WARNING backup[4711]: message key=value (error)`.
///
/// Nothing in it can begin a line of its own or steer the terminal.
struct RecordLine {
    let terminal: Terminal

    func text(_ record: LogRecord) -> String {
        let time = record.time.description
        var line = Style.dim(String(time.prefix(23)) + "Z", on: terminal)
        line += " " + Style.bold(visibleText(record.machine), on: terminal)
        let level = record.level.recordName
        line += " " + (style(of: record.level).map { $0(level, on: terminal) } ?? level)
        line += " " + visibleText(record.logger) + (record.pid > 0 ? "[\(record.pid)]" : "") + ": "
        line += visibleText(record.message)
        for (key, value) in record.metadata.sorted(by: { $0.key < $1.key }) {
            line += " " + Style.dim(visibleText(key) + "=" + shown(value), on: terminal)
        }
        if let exception = record.exception {
            line += " " + Style.red("(\(visibleText(exception)))", on: terminal)
        }
        return line
    }

    /// A message on the exchange that is no record.
    func text(foreign bytes: [UInt8]) -> String {
        let shown = visibleText(String(decoding: bytes.prefix(1024), as: UTF8.self))
        let more = bytes.count > 1024 ? "… (\(bytes.count) bytes)" : ""
        return Style.dim("(no record) ", on: terminal) + shown + more
    }

    private func style(of level: Logger.Level) -> Style? {
        switch level {
        case .critical, .error: .red
        case .warning: .yellow
        case .notice: .bold
        case .info: nil
        case .debug, .trace: .dim
        }
    }

    /// A list or a dictionary as JSON, which needs no quotes around it.
    private func shown(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string, .stringConvertible: quoted(value.text)
        case .array, .dictionary: visibleText(value.text)
        }
    }

    private func quoted(_ text: String) -> String {
        let needsQuotes = text.isEmpty || text.utf8.contains { $0 == 0x20 || $0 == 0x22 || $0 == 0x3d }
        guard needsQuotes else { return visibleText(text) }
        return "\"\(visibleText(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")))\""
    }
}
