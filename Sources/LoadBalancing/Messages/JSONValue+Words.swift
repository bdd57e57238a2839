// How sentences speak of JSON values.
extension JSONValue {
    /// What kind of value this is: `an array`.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a Boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// The value as it was sent, between quotation marks, or the kind of one that is too large to be shown.
    var quoted: String {
        text.map(\.quoted) ?? kind
    }

    /// The value as it was sent, or the kind of one that is too large to be shown.
    var shown: String {
        text.map(\.shown) ?? kind
    }

    private var text: String? {
        switch self {
        case .null: "null"
        case .bool(let bool): String(bool)
        case .number(let number): number.description
        case .string(let string): string
        case .array, .object: nil
        }
    }
}

extension String {
    /// The text between single quotation marks, fit for a sentence and for a log line; see ``shown``.
    var quoted: String { "'\(shown)'" }

    /// The text, fit for a sentence and for a log line.
    ///
    /// Of a long text it has the beginning; characters that end a line or control a terminal are written as `\u{…}`.
    var shown: String {
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
