/// Goes through the lines of an INI file; ``INIDocument`` describes the form.
struct INIParser {
    private(set) var document = INIDocument()
    private var section: String?
    /// How far the key was indented whose value the next line may go on with.
    private var openKeyIndent: Int?
    private var line = 0

    init() { document = INIDocument() }

    mutating func parse(_ bytes: [UInt8]) {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let rest = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
        for var raw in rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            line += 1
            if raw.last == UInt8(ascii: "\r") { raw.removeLast() }
            parseLine(raw)
        }
    }

    private mutating func parseLine(_ raw: ArraySlice<UInt8>) {
        guard let text = String(validating: raw, as: UTF8.self) else { return fault("is not UTF-8") }
        guard !raw.contains(0) else { return fault("contains a NUL byte") }
        let indent = raw.prefix(while: isBlank).count
        let content = trimmed(text)
        if content.isEmpty {
            openKeyIndent = nil
        } else if content.hasPrefix("#") || content.hasPrefix(";") {
            return
        } else if let openKeyIndent, indent > openKeyIndent {
            document.entries[document.entries.count - 1].value += "\n" + withoutComment(content)
        } else if content.hasPrefix("[") {
            parseSection(content)
        } else {
            parseEntry(content, indent: indent)
        }
    }

    private mutating func parseSection(_ content: String) {
        openKeyIndent = nil
        section = nil
        let content = withoutComment(content)
        guard content.hasSuffix("]") else { return fault("\(quoted(content)) is not a [section]") }
        let name = trimmed(content.dropFirst().dropLast())
        guard !name.isEmpty, !name.contains("["), !name.contains("]") else {
            return fault("\(quoted(content)) is not a [section]")
        }
        section = name
        document.sections.append(INIDocument.Section(name: name, line: line))
    }

    private mutating func parseEntry(_ content: String, indent: Int) {
        openKeyIndent = nil
        // The text is not repeated: a secret may stand in it.
        guard let separator = content.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
            return fault("is neither 'key = value' nor a [section]")
        }
        let key = trimmed(content[..<separator]).lowercased().replacing("-", with: "_")
        guard !key.isEmpty else { return fault("has no key before '\(content[separator])'") }
        guard !key.contains(where: \.isWhitespace) else { return fault("the key \(quoted(key)) is not one word") }
        guard let section else {
            // After a section that could not be read, its keys are not faults of their own.
            if document.sections.isEmpty && document.faults.isEmpty {
                fault("'\(visibleText(key))' stands before the first [section]")
            }
            return
        }
        openKeyIndent = indent
        let value = trimmed(withoutComment(trimmed(content[content.index(after: separator)...], keepingStart: true)))
        document.entries.append(INIDocument.Entry(section: section, key: key, value: value, line: line))
    }

    private mutating func fault(_ message: String) {
        document.faults.append(INIDocument.Fault(line: line, message: message))
    }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

/// A text without spaces and tabs around it.
private func trimmed(_ text: some StringProtocol, keepingStart: Bool = false) -> String {
    let bytes = Array(text.utf8)
    let start = keepingStart ? 0 : bytes.prefix(while: isBlank).count
    let end = bytes.count - bytes.reversed().prefix(while: isBlank).count
    return start < end ? String(decoding: bytes[start..<end], as: UTF8.self) : ""
}

/// A text up to the white space and `;` with which a comment begins.
private func withoutComment(_ text: String) -> String {
    let bytes = Array(text.utf8)
    for index in bytes.indices.dropFirst() where bytes[index] == UInt8(ascii: ";") && isBlank(bytes[index - 1]) {
        return trimmed(String(decoding: bytes[..<index], as: UTF8.self))
    }
    return text
}
