package import Logging

/// How much a log tells: a level of Python's logging module, by name or number, as old configuration files have it.
package struct Verbosity: Sendable, Hashable, CustomStringConvertible {
    /// The least severe level that is written.
    package let level: Logger.Level

    /// Creates a verbosity.
    ///
    /// - Parameter level: The least severe level that is written.
    package init(_ level: Logger.Level) { self.level = level }

    /// Reads `DEBUG`, `INFO`, `WARNING`, `ERROR`, `CRITICAL` in any case, or a number, of which 10 is DEBUG and 50
    /// CRITICAL.
    ///
    /// - Parameter text: The name or number; `TRACE`, `NOTICE` and the other names of the old module are taken too.
    package init?(_ text: String) {
        if let number = Int(text) {
            guard number >= 0 else { return nil }
            self.init(Self.byNumber.last { $0.number <= number }?.level ?? .trace)
            return
        }
        switch text.uppercased() {
        case "NOTSET", "TRACE": self.init(.trace)
        case "DEBUG": self.init(.debug)
        case "INFO": self.init(.info)
        case "NOTICE": self.init(.notice)
        case "WARNING", "WARN": self.init(.warning)
        case "ERROR": self.init(.error)
        case "CRITICAL", "FATAL": self.init(.critical)
        default: return nil
        }
    }

    /// Numbers between two levels count as the lower one, as more is written then and not less.
    private static let byNumber: [(number: Int, level: Logger.Level)] = [
        (0, .trace), (10, .debug), (20, .info), (30, .warning), (40, .error), (50, .critical),
    ]

    /// As ``init(_:)`` reads it.
    package var description: String { level.rawValue.uppercased() }
}
