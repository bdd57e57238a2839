public import CivilTime

/// Messages of one key on their way to a broker, kept as the records of a segment (docs/message-log.md): one piece of
/// memory, in which each has its length, its time and its body.
public struct MessageBatch: Sendable {
    /// The records, one behind the other.
    public private(set) var records: [UInt8] = []
    /// How many messages there are.
    public private(set) var count = 0
    /// The latest time that a message of it has; `nil` when there is none.
    public private(set) var latest: UTCTime?

    /// How many bytes a record has beside its body: 4 for the length, 8 for the time in microseconds, little-endian.
    public static let recordHeader = 12

    /// Creates an empty batch.
    public init() {}

    /// Takes records as they were written; `nil` when they do not end where the last one does.
    package init?(records: [UInt8]) {
        var end = 0
        var messages = Iterator(records: records)
        while let message = messages.next() {
            count += 1
            latest = Swift.max(latest ?? message.time, message.time)
            end = message.body.endIndex
        }
        guard end == records.count else { return nil }
        self.records = records
    }

    /// Makes room for so many bytes of records.
    package mutating func reserveCapacity(_ bytes: Int) { records.reserveCapacity(bytes) }

    /// Adds a message.
    ///
    /// - Parameters:
    ///   - body: At most ``Message/maximumBody`` bytes; the caller has checked.
    ///   - time: When it was sent.
    public mutating func append(_ body: some Collection<UInt8>, at time: UTCTime) {
        // What is not contiguous is rare, and as fast as it can be.
        if body.withContiguousStorageIfAvailable({ append(UnsafeRawBufferPointer($0), at: time) }) == nil {
            Array(body).withUnsafeBytes { append($0, at: time) }
        }
    }

    /// Adds a message, as ``append(_:at:)-(Collection<UInt8>,_)`` does.
    public mutating func append(_ body: UnsafeRawBufferPointer, at time: UTCTime) {
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: body.count).littleEndian) { records.append(contentsOf: $0) }
        withUnsafeBytes(of: time.microseconds.littleEndian) { records.append(contentsOf: $0) }
        records.append(contentsOf: body)
        count += 1
        latest = Swift.max(latest ?? time, time)
    }

    /// Whether there is none.
    public var isEmpty: Bool { count == 0 }

    /// The length of the body of the record at an offset; `nil` when the record does not end within the records.
    private static func length(in records: [UInt8], at offset: Int) -> Int? {
        guard offset + recordHeader <= records.count else { return nil }
        let length = records.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
        let end = offset + recordHeader + Int(UInt32(littleEndian: length))
        return end <= records.count ? Int(UInt32(littleEndian: length)) : nil
    }
}

extension MessageBatch: Sequence {
    /// A message of a batch.
    public struct Element: Sendable {
        /// When it was sent.
        public let time: UTCTime
        /// What it says; shares the batch's memory.
        public let body: ArraySlice<UInt8>
    }

    /// Walks the messages in order.
    public func makeIterator() -> Iterator { Iterator(records: records) }

    /// The way through a batch.
    public struct Iterator: IteratorProtocol {
        let records: [UInt8]
        private var offset = 0

        init(records: [UInt8]) { self.records = records }

        /// The next message; `nil` after the last one.
        public mutating func next() -> Element? {
            guard let length = MessageBatch.length(in: records, at: offset) else { return nil }
            let time = records.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset + 4, as: Int64.self) }
            let start = offset + MessageBatch.recordHeader
            offset = start + length
            return Element(
                time: UTCTime(microseconds: Int64(littleEndian: time)), body: records[start..<offset])
        }
    }
}
