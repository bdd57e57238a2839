import JSON

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
