public import CivilTime

/// A message as a consumer gets it.
public struct Message: Sendable {
    /// What it is about.
    public let key: RoutingKey
    /// What it says.
    ///
    /// It shares memory with messages that came together with it; its indices need not begin at zero.
    public let body: ArraySlice<UInt8>
    /// When it was sent, by its sender's clock.
    public let time: UTCTime
    /// Where it stands in the log or queue that it came from.
    public let position: Position

    /// Puts a message together.
    public init(key: RoutingKey, body: ArraySlice<UInt8>, time: UTCTime, position: Position) {
        self.key = key
        self.body = body
        self.time = time
        self.position = position
    }

    /// The body as text; what is not UTF-8 is replaced (U+FFFD).
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The longest body, in bytes: 8 MiB.
    public static let maximumBody = 8 << 20
}

/// Where a message stands in the log or queue that it came from.
public enum Position: Sendable, Hashable, CustomStringConvertible {
    /// Its number in the log of its key: 1 for the first message, then one more each, for ever.
    case sequence(UInt64)
    /// The name of its object in the legacy layout: its time in UTC.
    case name(String)
    /// The number of its delivery by RabbitMQ, within one connection.
    case delivery(UInt64)

    /// The number or name.
    public var description: String {
        switch self {
        case .sequence(let number), .delivery(let number): "\(number)"
        case .name(let name): name
        }
    }
}
