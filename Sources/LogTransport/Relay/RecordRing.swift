internal import Glibc

/// A queue of lines in memory, bounded in bytes.
///
/// Each lies in one piece, behind its number and its length. The memory is taken from the system as it is first used.
///
/// `@unchecked Sendable`: the memory is reached through this value alone, which cannot be copied.
struct RecordRing: ~Copyable, @unchecked Sendable {
    /// What stands in front of the bytes of each.
    private struct Header {
        var number: UInt64
        var count: UInt32
        var kind: UInt32
    }
    private static let headerCount = MemoryLayout<Header>.stride
    /// Of a header that only says that the next record is at the beginning of the memory.
    private static let wrap: UInt32 = 1 << 31

    /// A record in the queue.
    struct Record {
        /// What it was appended with.
        let number: UInt64
        /// What it was appended with.
        let kind: UInt32
        /// Its bytes; valid until the record is removed.
        let bytes: UnsafeRawBufferPointer
    }

    private let memory: UnsafeMutableRawPointer
    private let capacity: Int
    /// Where the first record is and where the next one goes; equal only when there is none.
    private var head = 0
    private var tail = 0
    /// How many records there are.
    private(set) var count: UInt64 = 0

    /// Makes an empty queue.
    ///
    /// - Parameter capacity: How many bytes it holds, headers included.
    init(capacity: Int) {
        self.capacity = capacity
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { memory.deallocate() }

    /// Whether there is no record.
    var isEmpty: Bool { count == 0 }

    /// Whether an empty queue has room for so many bytes.
    func canHold(_ count: Int) -> Bool { Self.size(of: count) <= capacity }

    /// Puts a record at the end.
    ///
    /// - Returns: Whether there was room.
    mutating func append(_ bytes: UnsafeRawBufferPointer, number: UInt64, kind: UInt32 = 0) -> Bool {
        append(count: bytes.count, number: number, kind: kind) { target in
            if let source = bytes.baseAddress { memcpy(target, source, bytes.count) }
        }
    }

    /// Has a record of so many bytes written at the end, if there is room for it.
    ///
    /// - Returns: Whether there was.
    @inline(__always)
    mutating func append(
        count: Int, number: UInt64, kind: UInt32 = 0, _ write: (UnsafeMutableRawPointer) -> Void
    ) -> Bool {
        let size = Self.size(of: count)
        guard let place = place(for: size) else { return false }
        if place < tail && capacity - tail >= Self.headerCount {
            memory.storeBytes(of: Header(number: 0, count: 0, kind: Self.wrap), toByteOffset: tail, as: Header.self)
        }
        let header = Header(number: number, count: UInt32(count), kind: kind)
        memory.storeBytes(of: header, toByteOffset: place, as: Header.self)
        write(memory + place + Self.headerCount)
        tail = place + size
        self.count += 1
        return true
    }

    /// The record that has been here longest.
    var first: Record? {
        guard count > 0 else { return nil }
        let header = memory.load(fromByteOffset: head, as: Header.self)
        let bytes = UnsafeRawBufferPointer(start: memory + head + Self.headerCount, count: Int(header.count))
        return Record(number: header.number, kind: header.kind, bytes: bytes)
    }

    /// Removes the first record; there is one.
    mutating func removeFirst() {
        let header = memory.load(fromByteOffset: head, as: Header.self)
        head += Self.size(of: Int(header.count))
        count -= 1
        guard count > 0 else {
            (head, tail) = (0, 0)
            return
        }
        if capacity - head < Self.headerCount || memory.load(fromByteOffset: head, as: Header.self).kind == Self.wrap {
            head = 0
        }
    }

    /// Where a record of this size goes; nil when there is no room for it in one piece.
    private func place(for size: Int) -> Int? {
        guard count > 0 else { return size <= capacity ? 0 : nil }
        if tail > head {
            if size <= capacity - tail { return tail }
            // One byte stays free before the first record, so that a full queue does not look like an empty one.
            return size < head ? 0 : nil
        }
        return size < head - tail ? tail : nil
    }

    private static func size(of count: Int) -> Int { (headerCount + count + 15) & ~15 }
}
