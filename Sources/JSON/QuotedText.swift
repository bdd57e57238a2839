extension String {
    /// The text between single quotation marks, fit for a sentence and for a log line; see ``shown``.
    package var quoted: String { "'\(shown)'" }

    /// The text, fit for a sentence and for a log line.
    ///
    /// Of a long text it has the beginning; characters that end a line or control a terminal are written as `\u{…}`.
    package var shown: String {
        let limit = 80
        var shown = ""
        for scalar in unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                shown.unicodeScalars.append(scalar)
            }
        }
        return unicodeScalars.dropFirst(limit).isEmpty ? shown : shown + "…"
    }
}
