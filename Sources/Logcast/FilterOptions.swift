import ArgumentParser
import CommandKit
import LogBroadcast
import Logging
import Synchronization

/// Which records are shown.
struct FilterOptions: ParsableArguments {
    @Option(help: "The least severe level: trace, debug, info, notice, warning, error, critical.")
    var level: LevelName?

    @Option(name: .long, parsing: .singleValue, help: "Machines, with * and ? as in a shell; may be repeated.")
    var machine: [String] = []

    @Option(name: .long, parsing: .singleValue, help: "Loggers, with * and ? as in a shell; may be repeated.")
    var logger: [String] = []

    @Option(help: "A regular expression that is found in the message, the error or a KEY=VALUE of the metadata.")
    var grep: String?

    /// The filter.
    ///
    /// - Throws: `CommandError` for what is no regular expression.
    func filter() throws(CommandError) -> RecordFilter {
        var filter = RecordFilter()
        filter.level = level?.level
        filter.machines = machine.map { NamePattern($0) }
        filter.loggers = logger.map { NamePattern($0) }
        guard let grep else { return filter }
        do {
            let expression = try Expression(grep)
            filter.text = { expression.isFound(in: $0) }
        } catch {
            throw CommandError(.usage, "--grep '\(grep)' is no regular expression: \(error)", cause: error)
        }
        return filter
    }

    /// Whether anything is left out at all.
    var isEmpty: Bool { level == nil && machine.isEmpty && logger.isEmpty && grep == nil }
}

/// A level on the command line.
struct LevelName: ExpressibleByArgument {
    let level: Logger.Level

    init(_ level: Logger.Level) { self.level = level }

    init?(argument: String) {
        guard Int(argument) == nil, let level = Logger.Level(recordName: argument) else { return nil }
        self.level = level
    }

    var defaultValueDescription: String { level.rawValue }

    static var allValueStrings: [String] { Logger.Level.allCases.map(\.rawValue) }
}

/// A regular expression that any task may use; Swift's own type is bound to one.
///
/// The time that it takes can grow with the square of what is searched, and records have up to a mebibyte: so it is found
/// in one line at a time, and in the beginning of each. A text without any of its special characters is found everywhere.
private final class Expression: Sendable {
    /// How many characters of a line are searched.
    private static let longestLine = 4_096

    private let regex: Mutex<Regex<AnyRegexOutput>>
    /// What is to be found when it is nothing but a text.
    private let plain: String?

    init(_ text: String) throws {
        regex = Mutex(try Regex(text))
        var rest = text[...]
        // What begins with anything is found wherever the rest is.
        while rest.hasPrefix(".*"), !rest.hasPrefix(".*+") { rest = rest.dropFirst(rest.hasPrefix(".*?") ? 3 : 2) }
        if rest.startIndex != text.startIndex { regex.withLock { $0 = (try? Regex(String(rest))) ?? $0 } }
        plain = rest.contains { #"\^$.|?*+()[]{}"#.contains($0) } ? nil : String(rest)
    }

    func isFound(in text: String) -> Bool {
        if let plain { return text.contains(plain) }
        return regex.withLock { regex in
            text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).contains {
                $0.prefix(Self.longestLine).firstMatch(of: regex) != nil
            }
        }
    }
}
