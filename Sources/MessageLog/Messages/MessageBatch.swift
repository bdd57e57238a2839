public import CivilTime

/// Messages of one key on their way to a broker, kept as the records of a segment (docs/message-log.md): one piece of
/// memory, in which each has its length, its time and its body.
public struct MessageBatch: Sendable {
    /// The records, one behind the other.
    public private(set) var records: [UInt8] = []
    /// How many messages there are.
    public private(set) var count = 0

    /// How many bytes a record has beside its body: 4 for the length, 8 for the time in microseconds, little-endian.
    public static let recordHeader = 12

    /// Creates an empty batch.
    public init() {}

    /// Adds a message.
    ///
    /// - Parameters:
    ///   - body: At most ``Message/maximumBody`` bytes; the caller has checked.
    ///   - time: When it was sent.
    public mutating func append(_ body: some Collection<UInt8>, at time: UTCTime) {
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: body.count).littleEndian) { records.append(contentsOf: $0) }
        withUnsafeBytes(of: time.microseconds.littleEndian) { records.append(contentsOf: $0) }
        records.append(contentsOf: body)
        count += 1
    }

    /// Whether there is none.
    public var isEmpty: Bool { count == 0 }
}
