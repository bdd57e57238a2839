import Glibc

/// Makes lines of blocks of bytes, whichever way the blocks cut them.
///
/// A line ends with a line feed, which is no part of it unless it is asked for. Every other byte is kept as it is, NUL and
/// carriage return too, and what comes after the last line feed is a line as well. Lines are given where they lie in the
/// block; only one that goes on in the next block is copied.
package struct LineSplitter: ~Copyable {
    private let maximumLength: Int
    private let keepsNewline: Bool

    /// The part of the block that has not been looked at.
    private var position: UnsafeRawPointer
    private var end: UnsafeRawPointer
    private var isEnded = false

    /// The beginning of a line that the block before did not end, or the line that was given last.
    private var carry: OwnedBytes
    private var carried = 0
    private var isCarryGiven = false
    /// Whether the rest of a line that was cut is still to come.
    private var isSkipping = false

    /// Lines that were longer than the maximum.
    package private(set) var cutLines: UInt64 = 0
    /// Bytes that these lines lost.
    package private(set) var cutBytes: UInt64 = 0

    /// Creates a splitter without a block.
    ///
    /// - Parameters:
    ///   - maximumLength: The most bytes of a line without its line feed, at least 1. Of a longer one the rest is dropped
    ///     and counted.
    ///   - keepsNewline: Whether a line has its line feed at its end. One that was cut has it too, a last line that came
    ///     without has not.
    package init(maximumLength: Int, keepsNewline: Bool = false) {
        precondition(maximumLength >= 1)
        self.maximumLength = maximumLength
        self.keepsNewline = keepsNewline
        carry = OwnedBytes(usualCapacity: 16_384)
        position = UnsafeRawPointer(carry.start)
        end = position
    }

    /// Goes on with the next block; the one before must be used up, that is ``next()`` has returned nil.
    ///
    /// - Parameter block: Bytes that stay where they are until ``next()`` returns nil.
    package mutating func add(_ block: UnsafeRawBufferPointer) {
        guard let start = block.baseAddress else { return }
        precondition(position == end, "the block before is not used up")
        position = start
        end = start + block.count
    }

    /// Says that no block comes any more, once the last is used up: ``next()`` then gives what is left as the last line.
    package mutating func finish() {
        precondition(position == end, "the last block is not used up")
        isEnded = true
    }

    /// The next line, valid until the next call; nil when the block is used up.
    @inline(__always) package mutating func next() -> UnsafeRawBufferPointer? {
        if carried > 0 || isSkipping { return nextAcrossBlocks() }
        guard let newline = nextNewline(), newline - position <= maximumLength else { return assemble() }
        let line = UnsafeRawBufferPointer(start: position, count: newline - position + (keepsNewline ? 1 : 0))
        position = newline + 1
        return line
    }

    private mutating func nextAcrossBlocks() -> UnsafeRawBufferPointer? {
        if isCarryGiven {
            isCarryGiven = false
            carried = 0
            carry.shrink()
        }
        if isSkipping {
            let newline = nextNewline()
            cutBytes += UInt64((newline ?? end) - position)
            position = newline.map { $0 + 1 } ?? end
            isSkipping = newline == nil
            guard !isSkipping else { return nil }
        }
        if carried == 0 { return next() }
        if isEnded {
            isCarryGiven = true
            return UnsafeRawBufferPointer(start: carry.start, count: carried)
        }
        return assemble()
    }

    /// Carries on a line that does not lie in the block as a whole, or that is too long; nil while its end is to come.
    private mutating func assemble() -> UnsafeRawBufferPointer? {
        let newline = nextNewline()
        let count = (newline ?? end) - position
        let kept = min(count, maximumLength - carried)
        append(UnsafeRawBufferPointer(start: position, count: kept))
        position = newline.map { $0 + 1 } ?? end
        if kept < count {
            cutLines += 1
            cutBytes += UInt64(count - kept)
            isSkipping = newline == nil
        } else if newline == nil {
            return nil
        }
        if keepsNewline { withUnsafeBytes(of: lineFeed) { append($0) } }
        isCarryGiven = true
        return UnsafeRawBufferPointer(start: carry.start, count: carried)
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
        carry.reserve(carried + bytes.count)
        memcpy(carry.start + carried, source, bytes.count)
        carried += bytes.count
    }

    @inline(__always) private func nextNewline() -> UnsafeRawPointer? {
        memchr(position, Int32(lineFeed), end - position).map { UnsafeRawPointer($0) }
    }
}

private let lineFeed = UInt8(ascii: "\n")
