import Configuration
public import SystemPackage

extension ValueKind where Value == String {
    /// Any text of one line that is not empty.
    public static var string: ValueKind {
        .parsed("text") {
            $0
        } format: {
            $0
        }
    }

    /// A text without white space.
    public static var word: ValueKind {
        .parsed("one word") {
            $0.contains(where: \.isWhitespace) ? nil : $0
        } format: {
            $0
        }
    }
}

extension ValueKind where Value == FilePath {
    /// The path of a file or folder: absolute, except on the command line, where it may begin at the current folder.
    ///
    /// A daemon's working folder is `/`, so a relative path in a file or in the environment would mean something else
    /// there than where it was written.
    public static var path: ValueKind {
        ValueKind(
            "an absolute path",
            parse: { text, folder throws(ValueMismatch) in
                let path = FilePath(text)
                if path.isAbsolute { return path }
                guard let folder else { throw ValueMismatch(text) }
                return FilePath(folder).appending(path.components)
            },
            content: { .string($0.string) },
            read: { reader, key in reader.string(forKey: key).map { FilePath($0) } })
    }
}

extension ValueKind where Value == FilePath? {
    /// A path as ``path`` has it, or an empty text where there is none.
    public static var pathOrNone: ValueKind {
        let path = ValueKind<FilePath>.path
        return ValueKind(
            path.expectation, mayBeEmpty: true,
            parse: { text, folder throws(ValueMismatch) in
                text.isEmpty ? nil : try path.parse(text, folder)
            },
            content: { .string($0?.string ?? "") },
            read: { reader, key in
                reader.string(forKey: key).map { $0.isEmpty ? nil : FilePath($0) }
            })
    }
}

extension ValueKind where Value == Int {
    /// A whole number in decimal digits.
    ///
    /// - Parameter range: The numbers that are taken.
    /// - Returns: The kind.
    public static func integer(_ range: ClosedRange<Int>) -> ValueKind {
        ValueKind(
            "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text, _ throws(ValueMismatch) in
                guard let value = Int(text), range.contains(value) else { throw ValueMismatch(text) }
                return value
            },
            content: { .int($0) },
            read: { reader, key in reader.int(forKey: key) })
    }
}

extension ValueKind where Value == Duration {
    /// A time in seconds, with up to three decimals: `30`, `0.5`.
    ///
    /// - Parameter range: The seconds that are taken.
    /// - Returns: The kind.
    public static func seconds(_ range: ClosedRange<Int>) -> ValueKind {
        ValueKind(
            "a number of seconds from \(range.lowerBound) to \(range.upperBound)",
            parse: { text, _ throws(ValueMismatch) in
                guard let value = duration(text),
                    (Duration.seconds(range.lowerBound)...(.seconds(range.upperBound))) ~= value
                else { throw ValueMismatch(text) }
                return value
            },
            content: { .double(Double(milliseconds($0)) / 1000) },
            read: { reader, key in
                reader.double(forKey: key).map { .milliseconds(Int64(($0 * 1000).rounded())) }
            })
    }

    private static func duration(_ text: String) -> Duration? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, isDigits(whole), let seconds = Int32(whole) else { return nil }
        guard parts.count == 2 else { return .seconds(Int64(seconds)) }
        guard isDigits(parts[1]), parts[1].utf8.count <= 3 else { return nil }
        let padded = parts[1] + String(repeating: "0", count: 3 - parts[1].utf8.count)
        return Int(padded).map { .seconds(Int64(seconds)) + .milliseconds($0) }
    }

    private static func isDigits(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
}

extension ValueKind where Value == Bool {
    /// `true`, `yes`, `on`, `1`, or `false`, `no`, `off`, `0`, in any case.
    public static var boolean: ValueKind {
        ValueKind(
            "'true' or 'false'",
            parse: { text, _ throws(ValueMismatch) in
                switch text.lowercased() {
                case "true", "yes", "on", "1": return true
                case "false", "no", "off", "0": return false
                default: throw ValueMismatch(text)
                }
            },
            content: { .bool($0) },
            read: { reader, key in reader.bool(forKey: key) })
    }
}

extension ValueKind where Value == Secret {
    /// A value that is never shown; the key with `_file` after it names a file that holds it.
    public static var secret: ValueKind {
        ValueKind(
            "a secret of one line", isSecret: true,
            parse: { text, _ in Secret(text) },
            content: { .string($0.reveal()) },
            read: { reader, key in reader.string(forKey: key, isSecret: true).map(Secret.init) })
    }
}

extension ValueKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration, in any case.
    public static var choice: ValueKind {
        let words = Value.allCases.map { "'\($0.rawValue)'" }
        let parse: @Sendable (String) -> Value? = { text in
            Value.allCases.first { $0.rawValue.lowercased() == text.lowercased() }
        }
        return .parsed(words.count == 1 ? words[0] : "one of \(words.joined(separator: ", "))", parse: parse) {
            $0.rawValue
        }
    }
}

extension ValueKind {
    /// Values separated by commas, white space or line ends; none is a list too.
    ///
    /// - Parameter element: What each of them is; a kind that is kept as text.
    /// - Returns: The kind.
    public static func list<Element: Sendable>(of element: ValueKind<Element>) -> ValueKind where Value == [Element] {
        let parse: @Sendable (String, String?) throws(ValueMismatch) -> [Element] = {
            (text, folder) throws(ValueMismatch) in
            var elements: [Element] = []
            for part in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
                elements.append(try element.parse(String(part), folder))
            }
            return elements
        }
        return ValueKind(
            element.expectation, isList: true,
            parse: parse,
            content: { elements in
                .stringArray(
                    elements.compactMap { if case .string(let text) = element.content($0) { text } else { nil } })
            },
            read: { reader, key in
                reader.stringArray(forKey: key)?.compactMap { try? element.parse($0, nil) }
            })
    }
}

extension ValueKind where Value == [String] {
    /// Words separated by commas, white space or line ends.
    public static var words: ValueKind { .list(of: .word) }
}
