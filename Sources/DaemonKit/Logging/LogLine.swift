import Logging

/// The form of a line: `2026-11-21T01:23:45.678Z info libra_worker[4711]: message key=value`.
///
/// Metadata come sorted by key. Control characters are escaped everywhere; a value with a space, a quote, a `=` or
/// nothing in it stands in double quotes, where `"` and `\` have a `\` before them.
struct LogLine {
    let program: String
    let processID: Int32

    /// Writes a line.
    ///
    /// - Returns: The line in UTF-8, with its line feed.
    func bytes(
        _ level: Logger.Level, _ message: String, metadata: Logger.Metadata = [:], at time: LogTimestamp = .now
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128)
        time.append(to: &bytes)
        bytes.append(contentsOf: " \(level.rawValue) \(program)[\(processID)]: ".utf8)
        appendEscaped(message, to: &bytes)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            bytes.append(UInt8(ascii: " "))
            appendEscaped(key, to: &bytes)
            bytes.append(UInt8(ascii: "="))
            appendValue("\(value)", to: &bytes)
        }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private func appendValue(_ text: String, to bytes: inout [UInt8]) {
        let needsQuotes = text.isEmpty || text.utf8.contains { $0 == 0x20 || $0 == 0x22 || $0 == 0x3d }
        guard needsQuotes else { return appendEscaped(text, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
        appendEscaped(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""), to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }
}
