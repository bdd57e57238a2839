import Glibc

/// Packs lines into a batch.
package struct BatchBuilder: ~Copyable, Sendable {
    private let maximumLines: Int
    private let maximumBytes: Int
    private var buffer: OwnedBytes
    private var size = BatchFraming.headerSize

    /// How many lines are in the batch.
    package private(set) var count = 0

    /// Creates an empty batch.
    ///
    /// - Parameters:
    ///   - maximumLines: The most lines of a batch, at least 1.
    ///   - maximumBytes: The most bytes of a batch, with its overhead; a line that is longer makes a batch of its own.
    package init(maximumLines: Int, maximumBytes: Int = 65_536) {
        precondition(maximumLines >= 1)
        self.maximumLines = maximumLines
        self.maximumBytes = maximumBytes
        buffer = OwnedBytes(usualCapacity: max(maximumBytes, 64))
    }

    /// Whether there is no line in it.
    package var isEmpty: Bool { count == 0 }

    /// The size of the message, in bytes.
    package var byteCount: Int { size }

    /// Adds a line.
    ///
    /// - Parameter line: The line, of less than 4 GiB.
    /// - Returns: Whether there was room; if not, send the batch, empty it and add the line again. An empty batch has room
    ///   for every line.
    @inline(__always) package mutating func add(_ line: UnsafeRawBufferPointer) -> Bool {
        let end = size + BatchFraming.overheadPerLine + line.count
        guard (end <= maximumBytes && count < maximumLines) || count == 0 else { return false }
        buffer.reserve(end)
        let target = buffer.start + size
        target.storeBytes(of: UInt32(line.count).bigEndian, as: UInt32.self)
        if let source = line.baseAddress { memcpy(target + BatchFraming.overheadPerLine, source, line.count) }
        size = end
        count += 1
        return true
    }

    /// Has a line written into the batch, which is empty.
    ///
    /// - Parameters:
    ///   - count: The bytes of the line, less than 4 GiB.
    ///   - write: Writes them.
    /// - Throws: What `write` threw; the batch stays empty then.
    package mutating func add(
        count: Int, _ write: (UnsafeMutableRawPointer) throws(LogTransportError) -> Void
    ) throws(LogTransportError) {
        precondition(isEmpty)
        let end = size + BatchFraming.overheadPerLine + count
        buffer.reserve(end)
        let target = buffer.start + size
        target.storeBytes(of: UInt32(count).bigEndian, as: UInt32.self)
        do throws(LogTransportError) {
            try write(target + BatchFraming.overheadPerLine)
        } catch {
            buffer.shrink()
            throw error
        }
        size = end
        self.count = 1
    }

    /// The message, valid until the batch is changed.
    package mutating func message() -> UnsafeRawBufferPointer {
        writeHeader()
        return UnsafeRawBufferPointer(start: buffer.start, count: size)
    }

    /// Gives the message away and empties the batch.
    ///
    /// - Returns: The message, to be released with free(3) of its base address.
    package mutating func take() -> UnsafeMutableRawBufferPointer {
        writeHeader()
        defer { (size, count) = (BatchFraming.headerSize, 0) }
        return UnsafeMutableRawBufferPointer(start: buffer.take(), count: size)
    }

    /// Empties the batch.
    package mutating func removeAll() {
        buffer.shrink()
        (size, count) = (BatchFraming.headerSize, 0)
    }

    private mutating func writeHeader() {
        buffer.start.storeBytes(of: BatchFraming.magic.bigEndian, as: UInt32.self)
        buffer.start.storeBytes(of: (UInt32(BatchFraming.version) << 24).bigEndian, toByteOffset: 4, as: UInt32.self)
        buffer.start.storeBytes(of: UInt32(count).bigEndian, toByteOffset: 8, as: UInt32.self)
    }
}
