/// What the first bytes of a segment say of it: its header, or, where that is damaged, its first block's.
enum SegmentStart {
    case header(SegmentHeader)
    case firstBlock(BlockHeader)
    case unknownVersion(UInt32)
    case damaged

    init(_ bytes: UnsafeRawBufferPointer, firstSequence: UInt64) {
        switch SegmentHeader.read(bytes) {
        case .header(let header): self = header.firstSequence == firstSequence ? .header(header) : .damaged
        case .unknownVersion(let version): self = .unknownVersion(version)
        case .damaged:
            guard bytes.count >= SegmentHeader.count,
                let block = BlockHeader(UnsafeRawBufferPointer(rebasing: bytes[SegmentHeader.count...])),
                block.firstSequence == firstSequence
            else {
                self = .damaged
                return
            }
            self = .firstBlock(block)
        }
    }

    var mark: UInt64? {
        switch self {
        case .header(let header): header.mark
        case .firstBlock(let block): block.mark
        case .unknownVersion, .damaged: nil
        }
    }

    var firstOrdinal: UInt64? {
        switch self {
        case .header(let header): header.firstOrdinal
        case .firstBlock(let block): block.firstOrdinal
        case .unknownVersion, .damaged: nil
        }
    }

    var identity: UInt64? {
        guard case .header(let header) = self else { return nil }
        return header.identity
    }
}
