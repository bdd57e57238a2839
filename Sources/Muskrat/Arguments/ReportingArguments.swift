internal import ArgumentParser
internal import CommandKit
internal import DaemonKit
internal import Logging

/// What a command says on standard error beside its work.
struct ReportingArguments: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Say only what went wrong.") var quiet = false
    @Flag(help: "Show messages and rate on the terminal.") var progress = false

    /// Where the parts below say what went wrong, and what came back.
    var logger: Logger { Self.makeLogger(quiet ? .error : .notice) }

    /// The same for commands that have no such arguments.
    static var standardLogger: Logger { makeLogger(.notice) }

    private static func makeLogger(_ level: Logger.Level) -> Logger {
        Logger(label: "muskrat") { _ in LineLogHandler(program: "muskrat", to: StandardErrorLog(), level: level) }
    }

    /// Says a line, unless it is to be quiet.
    func say(_ text: String) {
        if !quiet { Terminal.error.write("muskrat: \(visibleText(text))\n") }
    }
}
