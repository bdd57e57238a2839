/// A table of AMQP fields: arguments of declarations, headers of messages.
///
/// Keys have at most 128 bytes.
public typealias FieldTable = [String: FieldValue]

/// A value in a table of AMQP fields (https://www.rabbitmq.com/amqp-0-9-1-errata, section 3).
public indirect enum FieldValue: Sendable, Hashable {
    /// Nothing.
    case void
    /// A truth value.
    case bool(Bool)
    /// A whole number; sent with 64 bits.
    case integer(Int64)
    /// A whole number beyond those of `integer`; only ever received.
    case unsigned(UInt64)
    /// A number with a fraction; sent with 64 bits.
    case double(Double)
    /// A decimal number, `value` divided by ten to the power of `scale`.
    case decimal(scale: UInt8, value: UInt32)
    /// Text.
    case string(String)
    /// Bytes that need not be text.
    case bytes([UInt8])
    /// Seconds since 1970, UTC.
    case timestamp(UInt64)
    /// A table within the table.
    case table(FieldTable)
    /// A list.
    case array([FieldValue])
}

extension FieldValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}
