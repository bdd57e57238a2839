/// How a text stands out on a terminal.
public enum Style: Int, Sendable, Hashable {
    /// Heavier.
    case bold = 1
    /// Fainter.
    case dim = 2
    /// For what failed.
    case red = 31
    /// For what is well.
    case green = 32
    /// For what deserves a look.
    case yellow = 33

    /// A text in this style.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - terminal: Where it will be shown.
    /// - Returns: The text with escape sequences (ECMA-48, SGR) around it, or as it is where colours are not shown.
    public func callAsFunction(_ text: String, on terminal: Terminal) -> String {
        terminal.hasColour ? applied(to: text) : text
    }

    func applied(to text: String) -> String { "\u{1b}[\(rawValue)m\(text)\u{1b}[0m" }
}
