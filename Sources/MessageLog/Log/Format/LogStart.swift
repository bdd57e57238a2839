import JSON
import ObjectStorage

/// Which segment is the oldest that counts: the object `start`; a log without one begins with its first segment.
struct LogStart: Sendable, Equatable {
    /// The segment's number.
    var segment: UInt64 = 1
    /// The sequence number of its first message.
    var sequence: UInt64 = 1
    /// The tag of the object; `nil` when there is none.
    var tag: EntityTag?

    static let first = LogStart()

    var json: [UInt8] {
        let value: JSONValue = [
            "version": 1, "segment": .number(JSONNumber(segment)), "sequence": .number(JSONNumber(sequence)),
        ]
        return value.bytes()
    }

    /// Reads the object; nil when it is none of this version.
    init?(_ bytes: [UInt8], tag: EntityTag) {
        guard let value = try? JSONValue(parsing: bytes), value["version"]?.unsigned == 1,
            let segment = value["segment"]?.unsigned, let sequence = value["sequence"]?.unsigned,
            1..<SegmentHeader.numberLimit ~= segment, 1..<SegmentHeader.numberLimit ~= sequence
        else { return nil }
        self.init(segment: segment, sequence: sequence, tag: tag)
    }

    init(segment: UInt64 = 1, sequence: UInt64 = 1, tag: EntityTag? = nil) {
        self.segment = segment
        self.sequence = sequence
        self.tag = tag
    }
}

extension JSONValue {
    /// The number, when this is a whole one that is not negative.
    var unsigned: UInt64? {
        guard case .number(let number) = self else { return nil }
        return UInt64(number.description)
    }
}
