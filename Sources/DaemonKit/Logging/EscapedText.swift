/// A text without control characters: `\n`, `\t`, `\x1b`, `\u{202e}` stand for them.
///
/// Escaped are the controls of ASCII and Latin-1, and the marks of Unicode that break or reverse a line: what a peer sends
/// can then neither begin a line of a log nor steer the terminal of who reads it.
func escapingControls(_ text: String) -> String {
    var bytes: [UInt8] = []
    appendEscaped(text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
}

/// Appends a text with its control characters escaped.
func appendEscaped(_ text: String, to bytes: inout [UInt8]) {
    // 0xc2 begins the Latin-1 controls, 0xe2 the Unicode marks; all else that is not a control goes as it is.
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f || $0 == 0xc2 || $0 == 0xe2 }) else {
        bytes.append(contentsOf: text.utf8)
        return
    }
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x0a: bytes.append(contentsOf: "\\n".utf8)
        case 0x0d: bytes.append(contentsOf: "\\r".utf8)
        case 0x09: bytes.append(contentsOf: "\\t".utf8)
        case 0..<0x10: bytes.append(contentsOf: "\\x0\(String(scalar.value, radix: 16))".utf8)
        case 0x10..<0x20, 0x7f...0x9f: bytes.append(contentsOf: "\\x\(String(scalar.value, radix: 16))".utf8)
        case 0x2028...0x202e, 0x2066...0x2069:
            bytes.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".utf8)
        default: bytes.append(contentsOf: scalar.utf8)
        }
    }
}
