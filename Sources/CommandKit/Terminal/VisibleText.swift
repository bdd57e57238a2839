/// A text in which nothing can move a cursor, change a colour, or begin a line of its own.
///
/// Control characters, and the marks of Unicode that reverse or break lines, become escapes: `\n`, `\t`, `\x1b`,
/// `\u{202e}`. What peers and files say goes through here before it reaches a terminal.
///
/// - Parameter text: The text.
/// - Returns: The text with escapes.
public func visibleText(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isInvisible) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case _ where isInvisible(scalar):
            let digits = String(scalar.value, radix: 16)
            result += scalar.value > 0xff ? "\\u{\(digits)}" : "\\x\(digits.count == 1 ? "0" : "")\(digits)"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

private func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f...0x9f, 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
}
