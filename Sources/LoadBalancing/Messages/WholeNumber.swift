import JSON

extension JSONValue {
    /// The value of a number, or of a string that holds one, when it is whole; `80`, `"80"` and `80.0` are.
    ///
    /// A number that no `Int` can hold is as large, or as small, as one can be: it is out of any range there is.
    var wholeNumber: Int? {
        switch self {
        case .number(let number): number.description.wholeNumber
        case .string(let string): string.wholeNumber
        case .null, .bool, .array, .object: nil
        }
    }
}

extension String {
    fileprivate var wholeNumber: Int? {
        if let number = Int(self) { return number }
        let parts = utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first else { return nil }
        if parts.count == 2 {
            guard !parts[1].isEmpty, parts[1].allSatisfy({ $0 == UInt8(ascii: "0") }) else { return nil }
        }
        let isNegative = whole.first == UInt8(ascii: "-")
        let digits = isNegative ? whole.dropFirst() : whole
        guard !digits.isEmpty, digits.allSatisfy(\.isDigit) else { return nil }
        return Int(Substring(whole)) ?? (isNegative ? .min : .max)
    }
}
