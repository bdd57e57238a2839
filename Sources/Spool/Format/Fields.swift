/// The fixed-size headers of the format: little-endian numbers, the last four bytes a checksum of those before them.
struct Fields {
    private(set) var bytes: [UInt8]

    /// All zero.
    init(count: Int) { bytes = [UInt8](repeating: 0, count: count) }

    /// A copy of the first bytes of `source`; nil when it has fewer.
    init?(_ source: UnsafeRawBufferPointer, count: Int) {
        guard source.count >= count else { return nil }
        bytes = Array(source.prefix(count))
    }

    subscript<Number: FixedWidthInteger & BitwiseCopyable>(offset: Int, as type: Number.Type = Number.self) -> Number {
        get { bytes.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: type)) } }
        set {
            bytes.withUnsafeMutableBytes { $0.storeBytes(of: newValue.littleEndian, toByteOffset: offset, as: type) }
        }
    }

    /// Whether the last four bytes are the checksum of the others.
    var isIntact: Bool { checksum == self[bytes.count - 4] }

    /// Puts the checksum into the last four bytes.
    mutating func seal() { self[bytes.count - 4] = checksum }

    private var checksum: UInt32 {
        bytes.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0.dropLast(4))) }
    }
}
