import Glibc

/// Makes a JSON object of a line: `{"message":"…","type":"…","@pid":…}`, without space and without a line feed.
///
/// A line that is valid UTF-8 is the `message` as it is. Any other is put there as ``LineEncoding`` says, and in `latin1`
/// and `base64` the object ends with a further key, `"encoding"`, from which a reader can tell.
package struct JSONEnvelope: ~Copyable, Sendable {
    /// Longer lines are measured before memory is taken for them, shorter ones get what they could need at most.
    private static let longLine = 8192
    /// How many bytes of a line become one piece: a multiple of three, for Base64.
    private static let pieceOfLine = 8190

    private let encoding: LineEncoding
    private let beginning = Array("{\"message\":\"".utf8)
    private let ending: [UInt8]
    private let endingOfInvalid: [UInt8]
    private var buffer = OwnedBytes(usualCapacity: 65_536)

    /// Lines that were not valid UTF-8, of those that were wrapped or written.
    package private(set) var invalidLines: UInt64 = 0

    /// Creates an envelope for the lines of one type.
    ///
    /// - Parameters:
    ///   - type: What `type` says; any text.
    ///   - processID: What `@pid` says.
    ///   - encoding: What is done with a line that is not valid UTF-8.
    package init(type: String, processID: Int32 = getpid(), encoding: LineEncoding = .replace) {
        self.encoding = encoding
        let members = "\",\"type\":\"\(escaped(type))\",\"@pid\":\(processID)"
        ending = Array("\(members)}".utf8)
        endingOfInvalid =
            encoding == .replace ? ending : Array("\(members),\"encoding\":\"\(encoding.rawValue)\"}".utf8)
    }

    /// The object for a line, in the envelope's own memory; valid until the next call.
    ///
    /// What a huge line needed stays taken until then.
    package mutating func wrap(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        buffer.shrink()
        let size: Int
        if line.count > Self.longLine {
            buffer.reserve(self.size(of: line))
            size = write(line, to: buffer.start)
        } else {
            buffer.reserve(beginning.count + JSONText.mostPerByte * line.count + endingOfInvalid.count)
            size = writeText(of: line, to: buffer.start)
        }
        return UnsafeRawBufferPointer(start: buffer.start, count: size)
    }

    /// The size of the object for a line, in bytes: at most six times that of the line, and a little.
    ///
    /// Of a huge line, ask this first, wait until there is room for so much, and only then ``write(_:to:)`` it there.
    package func size(of line: UnsafeRawBufferPointer) -> Int {
        let text = JSONText.measure(line, atInvalid: encoding == .replace ? .replace : .stop)
        guard !text.isValid else { return beginning.count + text.size + ending.count }
        let size =
            switch encoding {
            case .replace: text.size
            case .latin1: Latin1Text.size(of: line)
            case .base64: Base64Text.size(of: line.count)
            }
        return beginning.count + size + endingOfInvalid.count
    }

    /// Writes the object for a line.
    ///
    /// - Parameters:
    ///   - line: The line.
    ///   - target: Room for as many bytes as ``size(of:)`` says.
    /// - Returns: The size of the object.
    @discardableResult
    package mutating func write(_ line: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int {
        // Base64 is shorter than the escapes in front of a byte that turns out to be invalid may be.
        guard encoding == .base64, !JSONText.measure(line, atInvalid: .stop).isValid else {
            return writeText(of: line, to: target)
        }
        return writeInvalid(line, to: target)
    }

    /// Hands out the object for a line piece after piece, so that it is in memory nowhere as a whole.
    ///
    /// - Parameters:
    ///   - line: The line.
    ///   - take: Gets the pieces, each of which is valid until it returns; together they are as long as ``size(of:)`` says.
    package mutating func forEachPiece(of line: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void) {
        let isValid = JSONText.measure(line, atInvalid: .stop).isValid
        if !isValid { invalidLines += 1 }
        buffer.reserve(JSONText.mostPerByte * Self.pieceOfLine + JSONText.slack)
        beginning.withUnsafeBytes(take)
        var rest = line
        while !rest.isEmpty {
            let isText = isValid || encoding == .replace
            let piece = UnsafeRawBufferPointer(
                rebasing: rest[..<(isText ? Self.endOfPiece(of: rest) : min(Self.pieceOfLine, rest.count))])
            let size =
                switch encoding {
                case _ where isText: JSONText.write(piece, to: buffer.start, atInvalid: .replace).size
                case .latin1: Latin1Text.write(piece, to: buffer.start)
                default: Base64Text.write(piece, to: buffer.start)
                }
            take(UnsafeRawBufferPointer(start: buffer.start, count: size))
            rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
        }
        (isValid ? ending : endingOfInvalid).withUnsafeBytes(take)
    }

    /// Where a line can be cut so that what is UTF-8, and what is not, is the same in the parts as in the whole.
    private static func endOfPiece(of line: UnsafeRawBufferPointer) -> Int {
        guard line.count > pieceOfLine else { return line.count }
        // A character has one byte that begins it and three at most that continue it (0b10xx_xxxx); in front of any other
        // byte nothing goes on, and behind three that continue neither.
        for place in (pieceOfLine - 3...pieceOfLine).reversed() where line[place] & 0xc0 != 0x80 { return place }
        return pieceOfLine
    }

    /// Writes the object where there is room for any beginning of the line as text.
    @inline(__always)
    private mutating func writeText(of line: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int {
        append(beginning, to: target)
        let start = target + beginning.count
        // The text may overwrite what lies behind it: that is where the ending, which is longer, goes afterwards.
        let text = JSONText.write(line, to: start, atInvalid: encoding == .replace ? .replace : .stop)
        if !text.isValid {
            guard encoding == .replace else { return writeInvalid(line, to: target) }
            invalidLines += 1
        }
        append(ending, to: start + text.size)
        return beginning.count + text.size + ending.count
    }

    /// Writes the object for a line that is not UTF-8, in `latin1` or `base64`.
    private mutating func writeInvalid(_ line: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int {
        invalidLines += 1
        append(beginning, to: target)
        let start = target + beginning.count
        let size = encoding == .latin1 ? Latin1Text.write(line, to: start) : Base64Text.write(line, to: start)
        append(endingOfInvalid, to: start + size)
        return beginning.count + size + endingOfInvalid.count
    }

    @inline(__always) private func append(_ bytes: [UInt8], to target: UnsafeMutableRawPointer) {
        bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { memcpy(target, start, source.count) }
        }
    }
}

/// A text as the inside of a JSON string.
private func escaped(_ text: String) -> String {
    Array(text.utf8).withUnsafeBytes { bytes in
        let room = JSONText.mostPerByte * bytes.count + JSONText.slack
        return withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { target in
            guard let start = target.baseAddress else { return "" }
            let size = JSONText.write(bytes, to: start, atInvalid: .replace).size
            return String(decoding: target[..<size], as: UTF8.self)
        }
    }
}
