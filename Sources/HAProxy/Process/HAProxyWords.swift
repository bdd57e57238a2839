/// What HAProxy and the tools around it say, made short enough for an error.
enum HAProxyWords {
    /// The longest summary, in bytes, about.
    private static let limit = 2000

    /// The alerts among the lines of `output`, or all lines where there is none; joined by `; `.
    static func summary(of output: [UInt8]) -> String {
        let lines = output.split(separator: UInt8(ascii: "\n")).map { trimmed($0) }.filter { !$0.isEmpty }
        let alerts = lines.filter { $0.contains("[ALERT]") }.map(withoutPrefix)
        // HAProxy closes with sentences that only say that there were errors.
        let reasons = alerts.filter { alert in
            !["Fatal errors found in configuration", "Error(s) found in configuration file"].contains(
                where: alert.contains)
        }
        let chosen = reasons.isEmpty ? (alerts.isEmpty ? lines : alerts) : reasons
        var summary = ""
        for line in chosen {
            if !summary.isEmpty { summary += "; " }
            guard summary.utf8.count + line.utf8.count <= limit else { return summary + "…" }
            summary += line
        }
        return summary
    }

    /// `[ALERT]    (123) : config : text` becomes `text`.
    private static func withoutPrefix(_ line: String) -> String {
        var rest = Substring(line)
        if let bracket = line.firstIndex(of: ")"), line[bracket...].hasPrefix(") : ") {
            rest = line[bracket...].dropFirst(") : ".count)
        }
        if rest.hasPrefix("config : ") { rest = rest.dropFirst("config : ".count) }
        return String(rest)
    }

    private static func trimmed(_ line: some Sequence<UInt8>) -> String {
        let text = String(decoding: line.lazy.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
        return String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()).prefix(limit).description
    }
}
