/// An element of a small XML document, such as S3 answers with.
///
/// It is read without what such answers do not have: document types and their entities are refused, so that no answer can
/// name files or grow beyond its own size; attributes and the prefixes of names are left out.
struct XMLElement: Sendable, Equatable {
    /// The name, without its prefix.
    var name: String
    /// The text that stands directly in it, its references resolved.
    var text = ""
    /// The elements in it, in order.
    var children: [XMLElement] = []

    /// The text of the first element of that name in this one.
    subscript(name: String) -> String? { children.first { $0.name == name }?.text }

    /// Reads a document; `nil` for what is no such document.
    ///
    /// - Parameter bytes: The document in UTF-8; spaces in front of it are allowed, as S3 sends them to keep a connection.
    init?(_ bytes: [UInt8]) {
        var reader = XMLReader(bytes)
        guard let root = reader.document() else { return nil }
        self = root
    }

    init(name: String) { self.name = name }
}

private struct XMLReader {
    private let bytes: [UInt8]
    private var position = 0
    private static let deepest = 32

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() -> XMLElement? {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
        guard skipMisc(), position < bytes.count, let root = element(), skipMisc(), position == bytes.count
        else { return nil }
        return root
    }

    /// Reads from a `<` through the end of that element, without recursion: the depth is the sender's choice.
    private mutating func element() -> XMLElement? {
        var open: [XMLElement] = []
        var text: [[UInt8]] = []
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else {
                guard let start = text.indices.last, characters(into: &text[start]) else { return nil }
                continue
            }
            if skip("<!--") {
                guard skipPast("-->") else { return nil }
            } else if skip("<![CDATA[") {
                let start = position
                guard let last = text.indices.last, skipPast("]]>") else { return nil }
                text[last] += bytes[start..<position - 3]
            } else if skip("<?") {
                guard skipPast("?>") else { return nil }
            } else if skip("</") {
                guard let name = name(), var done = open.popLast(), done.name == name, let own = text.popLast(),
                    let ownText = String(validating: own, as: UTF8.self)
                else { return nil }
                skipSpace()
                guard skip(">") else { return nil }
                done.text = ownText
                guard let parent = open.indices.last else { return done }
                open[parent].children.append(done)
            } else {
                position += 1
                guard let name = name(), open.count < Self.deepest, let isEmpty = attributes() else { return nil }
                let started = XMLElement(name: name)
                if !isEmpty {
                    open.append(started)
                    text.append([])
                } else if let parent = open.indices.last {
                    open[parent].children.append(started)
                } else {
                    return started
                }
            }
        }
        return nil
    }

    /// Reads text up to the next `<`.
    private mutating func characters(into text: inout [UInt8]) -> Bool {
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            if bytes[position] == UInt8(ascii: "&") {
                guard let scalar = reference() else { return false }
                text += Array(String(scalar).utf8)
            } else {
                text.append(bytes[position])
                position += 1
            }
        }
        return true
    }

    private mutating func reference() -> Unicode.Scalar? {
        let body = bytes[position...].prefix(12).dropFirst().prefix { $0 != UInt8(ascii: ";") }
        guard body.endIndex < bytes.count, bytes[body.endIndex] == UInt8(ascii: ";") else { return nil }
        position = body.endIndex + 1
        switch String(decoding: body, as: UTF8.self) {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        case let number where number.hasPrefix("#x"):
            return UInt32(number.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init)
        case let number where number.hasPrefix("#"): return UInt32(number.dropFirst()).flatMap(Unicode.Scalar.init)
        default: return nil
        }
    }

    /// Skips attributes and the end of a start tag.
    ///
    /// - Returns: Whether the element ends with it; `nil` when it is not well-formed.
    private mutating func attributes() -> Bool? {
        while true {
            let hadSpace = skipSpace()
            if skip("/>") { return true }
            if skip(">") { return false }
            guard hadSpace, name() != nil else { return nil }
            skipSpace()
            guard skip("=") else { return nil }
            skipSpace()
            guard position < bytes.count else { return nil }
            let quote = bytes[position]
            guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
                let end = bytes[(position + 1)...].firstIndex(of: quote),
                !bytes[position..<end].contains(UInt8(ascii: "<"))
            else { return nil }
            position = end + 1
        }
    }

    /// Reads a name and leaves out its prefix.
    private mutating func name() -> String? {
        let start = position
        while position < bytes.count, Self.isOfName(bytes[position]) { position += 1 }
        let name = bytes[start..<position]
        let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
        return local.isEmpty ? nil : String(validating: local, as: UTF8.self)
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...58, 65...90, 97...122, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), 0x80...: true
        default: false
        }
    }

    /// Skips what may stand around the root: spaces, comments, and processing instructions.
    private mutating func skipMisc() -> Bool {
        while true {
            skipSpace()
            if skip("<!--") {
                guard skipPast("-->") else { return false }
            } else if skip("<?") {
                guard skipPast("?>") else { return false }
            } else {
                return true
            }
        }
    }

    @discardableResult
    private mutating func skipSpace() -> Bool {
        let start = position
        while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
        return position > start
    }

    private mutating func skip(_ text: StaticString) -> Bool {
        let found = text.withUTF8Buffer { bytes[position...].starts(with: $0) }
        if found { position += text.utf8CodeUnitCount }
        return found
    }

    private mutating func skipPast(_ text: StaticString) -> Bool {
        while position < bytes.count {
            if skip(text) { return true }
            position += 1
        }
        return false
    }
}
