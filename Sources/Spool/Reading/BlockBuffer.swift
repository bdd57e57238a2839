/// Memory that holds a stretch of a segment, shared by the reader and the blocks that it handed out.
///
/// `@unchecked Sendable`: the bytes are written only by the reader, and only while it holds the sole reference.
final class BlockBuffer: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(count: Int) {
        bytes = .allocate(byteCount: count, alignment: 16)
    }

    deinit {
        bytes.deallocate()
    }
}
