import JSON

/// Reads the fields of one object of a message into checked values.
///
/// A field that is `null` counts as one that is not there. What is wrong is said in one sentence,
/// `<lead>'<field>' must be …, not '<value>'`, with the field's path as the location.
struct FieldReader {
    let object: JSONObject

    /// What the sentence begins with: `Failure adding server 1001: `; made only when there is something to say.
    let lead: () -> String

    /// What stands before the names of the fields in locations: `monitor.`.
    let path: String

    init(_ object: JSONObject, lead: @autoclosure @escaping () -> String = "", path: String = "") {
        self.object = object
        self.lead = lead
        self.path = path
    }

    /// The value of a field, unless it is missing or null.
    subscript(field: String) -> JSONValue? {
        guard let value = object[field], value != .null else { return nil }
        return value
    }

    func wholeNumber<Number: BoundedInteger>(
        _ field: String, as type: Number.Type = Number.self
    ) throws(MessageError) -> Number? {
        guard let value = self[field] else { return nil }
        guard let number = value.wholeNumber.flatMap(Number.init(exactly:)) else {
            let range = Number.range
            throw fault(field, value, mustBe: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func word<Choice: Word>(_ field: String, as type: Choice.Type = Choice.self) throws(MessageError) -> Choice? {
        guard let value = self[field] else { return nil }
        guard let choice = value.string.flatMap(Choice.init(word:)) else {
            throw fault(field, value, mustBe: Choice.choices)
        }
        return choice
    }

    func flag(_ field: String) throws(MessageError) -> Bool? {
        guard let value = self[field] else { return nil }
        switch value {
        case .bool(let flag): return flag
        case .string(let word) where word.equalsIgnoringASCIICase("true"): return true
        case .string(let word) where word.equalsIgnoringASCIICase("false"): return false
        default: throw fault(field, value, mustBe: "true or false")
        }
    }

    /// Reads a text; `rule` says what it has to be.
    func text<Text: CheckedText>(
        _ field: String, as type: Text.Type = Text.self, mustBe rule: String
    ) throws(MessageError) -> Text? {
        guard let value = self[field] else { return nil }
        guard let text = value.string.flatMap(Text.init(validating:)) else {
            throw fault(field, value, mustBe: rule)
        }
        return text
    }

    /// Reads an identifier, which may be a string or a number.
    func identifier<Text: CheckedText>(_ field: String, as type: Text.Type = Text.self) throws(MessageError) -> Text? {
        guard let value = self[field] else { return nil }
        let text: String? =
            switch value {
            case .number(let number): number.description
            default: value.string
            }
        guard let identifier = text.flatMap(Text.init(validating:)) else {
            throw fault(
                field, value, mustBe: "1 to 64 letters, digits, '_' and '-', not beginning with '-'")
        }
        return identifier
    }

    func fault(_ field: String, _ value: JSONValue, mustBe rule: String) -> MessageError {
        MessageError(
            .invalid, "\(lead())'\(field)' must be \(rule), not \(value.quoted)", at: .field(path + field))
    }
}
