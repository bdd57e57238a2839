/// A value that messages write as one of a few words, in upper or lower case.
protocol Word: CaseIterable, RawRepresentable<String> {}

extension Word {
    /// Creates the value from its word in any case, or returns nil for another word.
    init?(word: String) {
        guard let match = Self.allCases.first(where: { $0.rawValue.equalsIgnoringASCIICase(word) }) else { return nil }
        self = match
    }

    /// All words, for a person: `HTTP, TCP or GALERA`.
    static var choices: String {
        let words = allCases.map(\.rawValue)
        guard let last = words.last, words.count > 1 else { return words.joined() }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}

extension String {
    /// Whether both have the same bytes, the case of ASCII letters aside.
    ///
    /// Unicode's own case rules would take the Kelvin sign for a `k`.
    func equalsIgnoringASCIICase(_ other: String) -> Bool {
        utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { $0.asciiLowercase == $1.asciiLowercase }
    }
}

extension UInt8 {
    var asciiLowercase: UInt8 { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= self ? self | 0x20 : self }
}
