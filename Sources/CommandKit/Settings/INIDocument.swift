/// What stands in an INI file, line by line, before anyone has asked whether it makes sense.
///
/// The form is that of Python's ConfigParser, in its simple cases:
/// - `[section]` lines, and `key = value` or `key : value` lines; the first `=` or `:` counts. Keys are put in lower
///   case, and `-` in them is `_`. White space around keys and values does not count; quotes are part of a value.
/// - A line that begins with `#` or `;` is a comment. White space and `;` end a value too, and a comment follows.
/// - A line that is indented deeper than the key before it goes on with that key's value, until a blank line.
/// - UTF-8, with or without a byte-order mark; lines end with LF or CRLF. At most ``sizeLimit`` bytes.
public struct INIDocument: Sendable, Equatable {
    /// A `[section]` line.
    public struct Section: Sendable, Equatable {
        /// The name between the brackets.
        public let name: String
        /// The line, counted from 1.
        public let line: Int
    }

    /// A key with its value.
    public struct Entry: Sendable, Equatable {
        /// The section in which it stands.
        public let section: String
        /// The key, in lower case and with `_` for `-`.
        public let key: String
        /// The value; with a line feed between its lines when it has several.
        public internal(set) var value: String
        /// The key's line, counted from 1.
        public let line: Int
    }

    /// A line that cannot be read.
    public struct Fault: Error, Equatable {
        /// The line, counted from 1.
        public let line: Int
        /// What is wrong with it.
        public let message: String
    }

    /// The largest file that is read, in bytes: 1 MiB.
    public static let sizeLimit = 1 << 20

    /// The sections, in the file's order; one that is opened twice is there twice.
    public internal(set) var sections: [Section] = []
    /// The keys, in the file's order; one that is set twice is there twice.
    public internal(set) var entries: [Entry] = []
    /// The lines that were passed over because they cannot be read.
    public internal(set) var faults: [Fault] = []

    /// Reads a file's bytes.
    ///
    /// - Parameter bytes: The whole file.
    public init(parsing bytes: [UInt8]) {
        var parser = INIParser()
        parser.parse(bytes)
        self = parser.document
    }

    init() {}
}
