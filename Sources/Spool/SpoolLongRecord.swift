import Checksums
import Glibc
import SystemPackage

/// What the reader gets at once.
package enum SpoolDelivery {
    /// Records that were written together.
    case block(SpoolBlock)
    /// One that is too long to be kept in memory more than once.
    case long(SpoolLongRecord)
}

/// A record of more than 256 KiB that is still on the disk.
///
/// Its segment's file stays open as long as there is a copy of this, also when the segment was removed meanwhile.
package struct SpoolLongRecord: Sendable {
    /// Its number, as ``SpoolRecord/sequence``.
    package let sequence: UInt64
    /// What its writer gave with it.
    package let flag: UInt8
    /// How many bytes it has.
    package let count: Int
    /// How many records were lost between the one before this one and this one, dropped or damaged.
    package internal(set) var missingBefore: UInt64 = 0

    private let file: SegmentFile
    private let header: BlockHeader
    /// Where the payload starts in the file.
    private let offset: Int

    init(_ header: BlockHeader, flag: UInt8, in file: SegmentFile, at offset: Int) {
        sequence = header.firstSequence
        self.flag = flag
        count = header.payloadCount - Record.headerCount
        self.header = header
        self.file = file
        self.offset = offset
    }

    /// Reads the record's bytes.
    ///
    /// - Parameter target: Room for all of them.
    /// - Throws: ``SpoolError`` with the code `systemError` when they cannot be read, or are not the ones that were seen
    ///   to be intact when this was handed out.
    package func read(into target: UnsafeMutableRawBufferPointer) throws(SpoolError) {
        let isIntact: Bool
        do throws(Errno) {
            isIntact = try fill(target)
        } catch {
            throw SpoolError(.systemError, "cannot read the spool's segment \(file.name)", cause: error)
        }
        guard isIntact else {
            throw SpoolError(
                .systemError,
                "the spool's segment \(file.name) was changed while it was read: let nothing else write there")
        }
    }

    /// The record in memory, as its block had it; nil when its bytes are not the ones that were seen to be intact.
    func load() throws(Errno) -> BlockBuffer? {
        let buffer = BlockBuffer(count: Record.headerCount + count)
        buffer.bytes.storeBytes(of: Record.header(count: count, flag: flag).littleEndian, as: UInt32.self)
        let isIntact = try fill(UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[Record.headerCount...]))
        return isIntact ? buffer : nil
    }

    private func fill(_ target: UnsafeMutableRawBufferPointer) throws(Errno) -> Bool {
        let target = UnsafeMutableRawBufferPointer(rebasing: target[..<count])
        let found = try readAll(file.descriptor, into: target, at: offset + Record.headerCount)
        let record = Record.header(count: count, flag: flag).littleEndian
        let before = withUnsafeBytes(of: record) { CRC32C.checksum($0) }
        return found == count
            && CRC32C.checksum(UnsafeRawBufferPointer(target), continuing: before) == header.payloadChecksum
    }
}
