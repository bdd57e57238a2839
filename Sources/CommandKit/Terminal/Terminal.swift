import Glibc

/// What a descriptor that may be a terminal can show.
public struct Terminal: Sendable, Equatable {
    /// Whether it is a terminal at all.
    public let isTerminal: Bool
    /// How many columns it has; nil when it is no terminal, and lines may be as long as they like.
    public let width: Int?
    /// Whether it shows colours: a terminal other than `dumb`, and no `NO_COLOR` (https://no-color.org).
    public let hasColour: Bool
    /// Whether its cursor can be moved: a terminal other than `dumb`.
    public let canRedraw: Bool
    let descriptor: Int32

    /// Standard output.
    public static var output: Terminal { Terminal(STDOUT_FILENO, environment: processEnvironment()) }
    /// Standard error.
    public static var error: Terminal { Terminal(STDERR_FILENO, environment: processEnvironment()) }

    /// Looks at a descriptor.
    ///
    /// - Parameters:
    ///   - descriptor: The descriptor.
    ///   - environment: Where `NO_COLOR` and `TERM` are read.
    public init(_ descriptor: Int32, environment: [String: String]) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        var size = winsize()
        let isKnown = isTerminal && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        width = isTerminal ? (isKnown ? Int(size.ws_col) : 80) : nil
        canRedraw = isTerminal && environment["TERM"] != "dumb"
        hasColour = canRedraw && (environment["NO_COLOR"] ?? "").isEmpty
    }

    /// Writes a text; what nobody takes is lost.
    ///
    /// When standard output fails, the command ends with 74 instead of 0, as ``ArgumentParser/AsyncParsableCommand/runProgram(_:)``
    /// says.
    ///
    /// - Parameter text: The text, with its line feeds.
    public func write(_ text: String) { writeText(text, to: descriptor) }
}
