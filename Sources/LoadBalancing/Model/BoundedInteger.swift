/// A whole number that lies in the range its type allows.
///
/// The value is checked once, when it is made from what somebody sent; whoever holds one need not look again.
public protocol BoundedInteger: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByIntegerLiteral {
    /// The values that are allowed, both ends included.
    static var range: ClosedRange<Int> { get }

    /// The number itself.
    var value: Int { get }

    /// Creates the value, or returns nil when it is out of ``range``.
    init?(exactly value: Int)
}

extension BoundedInteger {
    /// Creates the value from a literal in source code; a literal out of ``range`` is a mistake of the programmer's.
    public init(integerLiteral literal: Int) {
        guard let checked = Self(exactly: literal) else {
            preconditionFailure("\(Self.self) \(literal) is not in \(Self.range)")
        }
        self = checked
    }

    /// The number in decimal.
    public var description: String { String(value) }

    /// Orders by ``value``.
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}
