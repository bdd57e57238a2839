/// Reads lines from a descriptor: a ``BlockReader`` and a ``LineSplitter`` in one.
///
/// ```swift
/// var input = try LineReader(maximumLength: 1 << 20)
/// reading: while true {
///     switch try input.read() {
///     case .lines: while let line = input.next() { … }
///     case .nothingYet: // poll(2) on input.descriptor
///     case .end: break reading
///     }
/// }
/// ```
package struct LineReader: ~Copyable {
    /// What a read found.
    package enum Outcome: Sendable {
        /// There may be lines: call ``LineReader/next()`` until it returns nil, then read again.
        case lines
        /// Nothing now: wait until the descriptor is readable.
        case nothingYet
        /// The end of the input; the last line has been given.
        case end
    }

    private var blocks: BlockReader
    private var splitter: LineSplitter
    private var isFinished = false

    /// Bytes that were read.
    package private(set) var bytesRead: UInt64 = 0
    /// Lines that were longer than the maximum.
    package var cutLines: UInt64 { splitter.cutLines }
    /// Bytes that these lines lost.
    package var cutBytes: UInt64 { splitter.cutBytes }
    /// What to wait on for more input.
    package var descriptor: Int32 { blocks.descriptor }

    /// Looks at a descriptor; one that is closed is an input without a single line.
    ///
    /// - Parameters:
    ///   - descriptor: A pipe, socket, terminal or regular file that is open for reading; it is borrowed, and its flags
    ///     stay as they are.
    ///   - maximumLength: The most bytes of a line without its line feed, at least 1; of a longer one the rest is dropped.
    ///   - keepsNewline: Whether a line has its line feed at its end.
    /// - Throws: ``LogTransportError`` with code `unavailable` for a directory, or when it is not open for reading.
    package init(
        descriptor: Int32 = 0, maximumLength: Int, keepsNewline: Bool = false
    ) throws(LogTransportError) {
        blocks = try BlockReader(descriptor: descriptor)
        splitter = LineSplitter(maximumLength: maximumLength, keepsNewline: keepsNewline)
    }

    /// Reads what there is, without waiting; ``next()`` must have returned nil since the last read.
    ///
    /// - Throws: ``LogTransportError`` with code `systemError` when the kernel refuses.
    package mutating func read() throws(LogTransportError) -> Outcome {
        guard !isFinished else { return .end }
        switch try blocks.read() {
        case .bytes(let block):
            bytesRead += UInt64(block.count)
            splitter.add(block)
            return .lines
        case .nothingYet:
            return .nothingYet
        case .end:
            return finish()
        }
    }

    /// Ends the input here, though more could be read; ``next()`` must have returned nil since the last read.
    ///
    /// - Returns: As ``read()``: what was read of a last line is one now.
    package mutating func finish() -> Outcome {
        guard !isFinished else { return .end }
        isFinished = true
        splitter.finish()
        return .lines
    }

    /// The next line of what was read, valid until the next call; nil when all are given.
    @inline(__always) package mutating func next() -> UnsafeRawBufferPointer? { splitter.next() }
}
