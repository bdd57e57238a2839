/// Writes the lines of a configuration into one buffer, and refuses whatever a line or a word may not contain.
///
/// The types of the model cannot hold such text in the first place; this is the second lock on the same door.
struct ConfigurationWriter: ~Copyable {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// Begins a section, one blank line after what came before.
    mutating func section(_ keyword: StaticString, _ name: String? = nil, comment: Comment? = nil) throws(HAProxyError)
    {
        if !bytes.isEmpty { endLine() }
        if let comment { try self.comment(comment) }
        literal(keyword)
        if let name { try word(name) }
        endLine()
    }

    /// Writes a whole line of comment.
    mutating func comment(_ comment: Comment) throws(HAProxyError) {
        bytes.append(UInt8(ascii: "#"))
        if !comment.text.isEmpty { bytes.append(UInt8(ascii: " ")) }
        try append(comment.text, ByteClass.comment)
        endLine()
    }

    /// Begins a line of a section with a keyword.
    mutating func keyword(_ keyword: StaticString) {
        literal("    ")
        literal(keyword)
    }

    /// Writes a space and a keyword.
    mutating func option(_ keyword: StaticString) {
        bytes.append(UInt8(ascii: " "))
        literal(keyword)
    }

    /// Writes a space and a word.
    mutating func word(_ text: String) throws(HAProxyError) {
        bytes.append(UInt8(ascii: " "))
        guard !text.isEmpty else { throw HAProxyError(.invalidValue, "a word of the configuration is empty") }
        try append(text, ByteClass.word)
    }

    /// Writes a word directly after what was written.
    mutating func attached(_ text: String) throws(HAProxyError) { try append(text, ByteClass.word) }

    /// Writes a space and a path, quoted where it has a byte that would begin a variable in some contexts.
    mutating func requestPath(_ path: RequestPath) throws(HAProxyError) {
        bytes.append(UInt8(ascii: " "))
        let needsQuotes = path.text.utf8.contains(UInt8(ascii: "$"))
        if needsQuotes { bytes.append(UInt8(ascii: "'")) }
        try append(path.text, ByteClass.requestPath)
        if needsQuotes { bytes.append(UInt8(ascii: "'")) }
    }

    /// Writes a space and a number.
    mutating func number(_ value: some BinaryInteger) {
        bytes.append(UInt8(ascii: " "))
        digits(UInt64(clamping: value))
    }

    /// Writes a space, an address, a colon and a port.
    mutating func endpoint(_ address: Address, _ port: Port) throws(HAProxyError) {
        bytes.append(UInt8(ascii: " "))
        if address.kind == .ipv6 { bytes.append(UInt8(ascii: "[")) }
        try append(address.text, ByteClass.word)
        if address.kind == .ipv6 { bytes.append(UInt8(ascii: "]")) }
        bytes.append(UInt8(ascii: ":"))
        digits(UInt64(port.number))
    }

    /// Writes a space and a time: whole seconds as such, anything else in milliseconds.
    mutating func time(_ time: Milliseconds) {
        let isWhole = time.value % 1000 == 0
        number(isWhole ? time.value / 1000 : time.value)
        literal(isWhole ? "s" : "ms")
    }

    mutating func endLine() { bytes.append(UInt8(ascii: "\n")) }

    mutating func literal(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private mutating func digits(_ value: UInt64) {
        if value >= 10 { digits(value / 10) }
        bytes.append(UInt8(ascii: "0") + UInt8(value % 10))
    }

    private mutating func append(_ text: String, _ allowed: ByteClass) throws(HAProxyError) {
        for byte in text.utf8 {
            guard allowed.contains(byte) else {
                throw HAProxyError(.invalidValue, "\(quoted(text)) cannot be written into HAProxy's configuration")
            }
            bytes.append(byte)
        }
    }
}
