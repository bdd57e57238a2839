/// A command line in words, without a shell: white space separates, quotes and backslashes keep it from doing so.
///
/// Nothing else has a meaning: no variable, no `*`, no pipe.
struct CommandWords: Equatable {
    /// The words; the first is the program.
    let words: [String]

    /// Reads a command line; nil when it has no word, or a quote has no end.
    init?(_ text: String) {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if character == quote {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if quote == nil, character.isWhitespace {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil, !isEscaped else { return nil }
        if let word { words.append(word) }
        guard let program = words.first, !program.isEmpty else { return nil }
        self.words = words
    }
}
