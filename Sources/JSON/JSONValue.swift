/// A JSON value (RFC 8259) that comes out as it went in: numbers keep their digits, objects their order.
public enum JSONValue: Sendable, Equatable {
    /// `null`
    case null

    /// `true` or `false`
    case bool(Bool)

    /// A number, as its text.
    case number(JSONNumber)

    /// A string.
    case string(String)

    /// A list of values.
    case array([JSONValue])

    /// Values with names.
    case object(JSONObject)

    /// A whole number.
    public static func number(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }

    /// The object, when this is one.
    public var object: JSONObject? {
        guard case .object(let object) = self else { return nil }
        return object
    }

    /// The elements, when this is an array.
    public var array: [JSONValue]? {
        guard case .array(let array) = self else { return nil }
        return array
    }

    /// The text, when this is a string.
    public var string: String? {
        guard case .string(let string) = self else { return nil }
        return string
    }

    /// The value at `key`, when this is an object that has it.
    public subscript(key: String) -> JSONValue? { object?[key] }

    /// Whether both are the same byte for byte, the order of members aside.
    ///
    /// Strings are not compared as Swift does, for which two spellings of one accented letter are equal.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A string from a literal.
    public init(stringLiteral literal: String) { self = .string(literal) }

    /// A Boolean from a literal.
    public init(booleanLiteral literal: Bool) { self = .bool(literal) }

    /// A number from a literal.
    public init(integerLiteral literal: Int) { self = .number(literal) }

    /// An array from a literal.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    /// An object from a literal; of a key that stands twice the last value counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        var object = JSONObject()
        for (key, value) in elements { object[key] = value }
        self = .object(object)
    }
}

extension String {
    /// Whether both are the same bytes; equal to Swift are also two spellings of one accented letter.
    func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
