/// What becomes of a line between the input and the outlet.
package struct LineForm: Sendable {
    /// The JSON object that a line becomes.
    package struct Envelope: Sendable {
        /// What `type` says.
        package var type: String
        /// What `@pid` says.
        package var processID: Int32
        /// What is done with a line that is not valid UTF-8.
        package var encoding: LineEncoding

        /// Describes an envelope.
        package init(type: String, processID: Int32, encoding: LineEncoding = .replace) {
            self.type = type
            self.processID = processID
            self.encoding = encoding
        }

        func make() -> JSONEnvelope { JSONEnvelope(type: type, processID: processID, encoding: encoding) }
    }

    /// The envelope; nil when a line goes as it is.
    package var envelope: Envelope?
    /// Whether a line keeps its newline.
    package var keepsNewline: Bool

    /// A line as it is, without its newline unless that is asked for.
    package init(keepsNewline: Bool = false) { self.keepsNewline = keepsNewline }

    /// The longest line that fits into so many bytes whatever it holds: JSON makes six bytes of one.
    package func longestLine(in size: Int) -> Int {
        envelope == nil ? size - rest : max(1, (size - rest) / 6)
    }

    /// How many bytes a line of so many may become.
    package func longestForm(ofLine count: Int) -> Int { rest + (envelope == nil ? count : 6 * count) }

    /// What stands around a line, in bytes.
    private var rest: Int {
        guard let envelope else { return keepsNewline ? 1 : 0 }
        return 256 + 6 * envelope.type.utf8.count
    }

    /// A note as the lines beside it are.
    func bytes(of note: DropNote) -> [UInt8] {
        let bytes = Array((keepsNewline ? note.text + "\n" : note.text).utf8)
        guard var envelope = envelope?.make() else { return bytes }
        return bytes.withUnsafeBytes { Array(envelope.wrap($0)) }
    }
}

extension JSONEnvelope {
    /// From how many bytes on the object for a line is worth being written where it stays; in a batch it is alone anyway.
    static let hugeLine = 65_536

    /// Offers the object for a line.
    @inline(__always)
    mutating func offer(
        _ line: UnsafeRawBufferPointer, number: UInt64, to outlet: any Outlet
    ) throws(LogTransportError) -> Bool {
        if line.count >= Self.hugeLine { return try outlet.offer(line, in: &self, number: number) }
        return try outlet.offer(wrap(line), number: number)
    }
}
