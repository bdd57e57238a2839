/// A value that must not be shown: every description of it is `*****`.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Wraps a value.
    ///
    /// - Parameter value: What is to be kept from sight.
    public init(_ value: String) { self.value = value }

    /// The value itself, for the one place that needs it.
    ///
    /// - Returns: What was wrapped.
    public func reveal() -> String { value }

    /// Five asterisks.
    public var description: String { "*****" }
    /// Five asterisks.
    public var debugDescription: String { description }
    /// Nothing: `dump` shows no more than a description does.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
