internal import ArgumentParser
package import CommandKit
internal import DaemonKit
package import Logging

/// A command's own log: standard error, a file, or both.
package final class CommandLog: LogDestination {
    /// Where the parts of the command say what happens.
    package var logger: Logger { makeLogger(level) }

    private let program: String
    private let level: Logger.Level
    private let file: LogFile?
    private let usesConsole: Bool
    private let progress: ProgressLine?

    /// Opens the log.
    ///
    /// - Parameters:
    ///   - program: The command's name.
    ///   - settings: The loaded settings.
    ///   - names: The command's own.
    ///   - progress: The line that is taken from the terminal before something else is written there.
    /// - Throws: A ``CommandError`` with `cannotCreate` when the file cannot be opened.
    package init(
        program: String, _ settings: Settings, _ names: LoggingSettings, progress: ProgressLine? = nil
    ) throws(CommandError) {
        self.program = program
        self.progress = progress
        level = settings[names.verbosity].level
        do throws(DaemonError) {
            file = try settings[names.logFile].map { path throws(DaemonError) in
                try LogFile(opening: path, program: program)
            }
        } catch {
            let origin = settings.origin(of: names.logFile).map { "\($0): " } ?? ""
            throw CommandError(.cannotCreate, origin + error.message, cause: error)
        }
        usesConsole = settings[names.console] ?? (file == nil)
    }

    /// A log on standard error alone.
    ///
    /// - Parameters:
    ///   - program: The command's name.
    ///   - level: The least severe level that is written.
    ///   - progress: The line that is taken from the terminal before something else is written there.
    package init(program: String, level: Logger.Level, progress: ProgressLine? = nil) {
        self.program = program
        self.level = level
        self.progress = progress
        file = nil
        usesConsole = true
    }

    /// Writes a line wherever the log goes.
    ///
    /// - Parameter line: The line, with its line feed.
    package func write(_ line: [UInt8]) {
        if usesConsole {
            progress?.clear()
            StandardErrorLog().write(line)
        }
        file?.write(line)
    }

    /// Opens the file again, after it was moved away.
    package func reopen() {
        guard let file else { return }
        do {
            try file.reopen()
            logger.info("the log was opened again", metadata: ["path": "\(file.path)"])
        } catch {
            logger.error("the log could not be opened again, and goes on in the old file: \(error)")
        }
    }

    /// Says what somebody asked for, whatever the verbosity.
    ///
    /// - Parameter text: One line.
    package func answer(_ text: String) { makeLogger(.info).info("\(text)") }

    /// Notes why the command ends, where standard error does not say it to the same reader.
    ///
    /// - Parameter error: What ends it.
    package func noteEnd(_ error: CommandError) {
        guard !usesConsole else { return }
        for message in error.messages { logger.critical("\(message)") }
    }

    private func makeLogger(_ level: Logger.Level) -> Logger {
        Logger(label: program) { _ in LineLogHandler(program: self.program, to: self, level: level) }
    }
}
