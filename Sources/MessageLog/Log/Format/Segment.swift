import Checksums
import CivilTime

/// Messages that were appended together, as they stand in the store; checked from the first byte to the last.
struct Segment: Sendable {
    let header: SegmentHeader
    private let bytes: [UInt8]

    /// The most bytes that a segment may have.
    static let maximumBytes = SegmentHeader.byteCount + SegmentHeader.maximumPayload

    /// Where a message of it begins.
    struct Place: Sendable, Equatable {
        var offset: Int
        var sequence: UInt64
    }

    /// What keeps bytes from being a segment.
    enum Fault: Error, Sendable, Equatable {
        /// The header is damaged: nothing is known of the segment.
        case header
        /// A later version wrote it.
        case unknownVersion(UInt32)
        /// The header is intact, the rest is not.
        case payload(SegmentHeader, String)
    }

    /// Checks what a store gave.
    init(_ bytes: [UInt8]) throws(Fault) {
        switch bytes.withUnsafeBytes(SegmentHeader.read) {
        case .damaged: throw .header
        case .unknownVersion(let version): throw .unknownVersion(version)
        case .header(let header):
            if let reason = Self.fault(in: bytes, behind: header) { throw .payload(header, reason) }
            self.header = header
            self.bytes = bytes
        }
    }

    private static func fault(in bytes: [UInt8], behind header: SegmentHeader) -> String? {
        let expected = SegmentHeader.byteCount + header.payloadBytes
        guard bytes.count == expected else { return "it has \(bytes.count) bytes instead of \(expected)" }
        return bytes.withUnsafeBytes { all in
            let payload = UnsafeRawBufferPointer(rebasing: all[SegmentHeader.byteCount...])
            guard CRC32C.checksum(payload) == header.payloadChecksum else { return "its checksum does not match" }
            // Who wrote it may have been wrong as well: lengths are checked once, here, and trusted from then on.
            var offset = 0
            for _ in 0..<header.count {
                guard offset + MessageBatch.recordHeader <= payload.count else { return "a message is cut off" }
                offset += MessageBatch.recordHeader + bodyCount(in: payload, at: offset)
            }
            return offset == payload.count ? nil : "its messages do not fill it"
        }
    }

    private static func bodyCount(in bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
        Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }

    private static func time(in bytes: UnsafeRawBufferPointer, at offset: Int) -> UTCTime {
        UTCTime(microseconds: Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: Int64.self)))
    }

    /// Where its first message begins.
    var start: Place { Place(offset: SegmentHeader.byteCount, sequence: header.firstSequence) }

    /// Whether there is no message at a place or behind it.
    func isEnd(_ place: Place) -> Bool { place.offset >= bytes.count }

    /// Moves a place forward to the message of a number, or to the end when that is behind it.
    func skip(to sequence: UInt64, _ place: inout Place) {
        bytes.withUnsafeBytes { bytes in
            while place.sequence < sequence, place.offset < bytes.count { Self.advance(&place, in: bytes) }
        }
    }

    /// The number of the first message from a place on that was sent then or later; `nil` when there is none.
    func firstSequence(since time: UTCTime) -> UInt64? {
        bytes.withUnsafeBytes { bytes in
            var place = start
            while place.offset < bytes.count {
                if Self.time(in: bytes, at: place.offset) >= time { return place.sequence }
                Self.advance(&place, in: bytes)
            }
            return nil
        }
    }

    /// The latest time that a message of it has.
    var latest: UTCTime? {
        bytes.withUnsafeBytes { bytes in
            var place = start
            var latest: UTCTime?
            while place.offset < bytes.count {
                let time = Self.time(in: bytes, at: place.offset)
                latest = max(latest ?? time, time)
                Self.advance(&place, in: bytes)
            }
            return latest
        }
    }

    /// Takes messages from a place on; their bodies share the segment's memory.
    ///
    /// - Parameters:
    ///   - place: Where to begin; moved behind what was taken.
    ///   - limit: About how many bytes of bodies to take; at least one message is.
    ///   - countLimit: How many messages to take at most.
    ///   - key: What the messages are about.
    /// - Returns: The messages; none only at the end.
    func take(
        from place: inout Place, bytes limit: Int, count countLimit: Int, key: RoutingKey
    ) -> [Message] {
        var end = place
        var count = 0
        bytes.withUnsafeBytes { bytes in
            let stop = place.offset + min(max(1, limit), bytes.count)
            while end.offset < min(stop, bytes.count), count < countLimit {
                Self.advance(&end, in: bytes)
                count += 1
            }
        }
        let messages = bytes.withUnsafeBytes { raw in
            [Message](unsafeUninitializedCapacity: count) { target, initialized in
                while initialized < count {
                    let body = place.offset + MessageBatch.recordHeader
                    let bodyEnd = body + Self.bodyCount(in: raw, at: place.offset)
                    target.initializeElement(
                        at: initialized,
                        to: Message(
                            key: key, body: bytes[body..<bodyEnd], time: Self.time(in: raw, at: place.offset),
                            position: .sequence(place.sequence)))
                    initialized += 1
                    place.offset = bodyEnd
                    place.sequence += 1
                }
            }
        }
        return messages
    }

    private static func advance(_ place: inout Place, in bytes: UnsafeRawBufferPointer) {
        place.offset += MessageBatch.recordHeader + bodyCount(in: bytes, at: place.offset)
        place.sequence += 1
    }
}
