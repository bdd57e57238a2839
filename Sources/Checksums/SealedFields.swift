/// A header of a fixed size: little-endian numbers, the last four bytes a checksum of those before them.
package struct SealedFields {
    /// The header as it stands on disk.
    package private(set) var bytes: [UInt8]

    /// All zero.
    package init(count: Int) { bytes = [UInt8](repeating: 0, count: count) }

    /// A copy of the first bytes of `source`; nil when it has fewer.
    package init?(_ source: UnsafeRawBufferPointer, count: Int) {
        guard source.count >= count else { return nil }
        bytes = Array(source.prefix(count))
    }

    /// The number at an offset, which need not be aligned.
    package subscript<Number: FixedWidthInteger & BitwiseCopyable>(
        offset: Int, as type: Number.Type = Number.self
    ) -> Number {
        get { bytes.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: type)) } }
        set {
            bytes.withUnsafeMutableBytes { $0.storeBytes(of: newValue.littleEndian, toByteOffset: offset, as: type) }
        }
    }

    /// Whether the last four bytes are the checksum of the others.
    package var isIntact: Bool { checksum == self[bytes.count - 4] }

    /// Puts the checksum into the last four bytes.
    package mutating func seal() { self[bytes.count - 4] = checksum }

    private var checksum: UInt32 {
        bytes.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0.dropLast(4))) }
    }
}
