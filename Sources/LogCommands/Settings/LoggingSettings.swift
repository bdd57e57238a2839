package import ArgumentParser
package import CommandKit
internal import Logging
package import SystemPackage

/// Where a command's own log goes, and how much it tells.
package struct LoggingSettings: Sendable {
    package let console: Setting<Bool?>
    package let logFile: Setting<FilePath?>
    package let verbosity: Setting<Verbosity>

    /// Declares the settings.
    ///
    /// - Parameter section: Where they stand: `logging`, as in old files, or the program's section.
    package init(section: String) {
        console = Setting(section, "console", .boolean)
        logFile = Setting(section, "logfile", .pathOrNone, default: nil)
        verbosity = Setting(section, "verbosity", .verbosity, default: Verbosity(.info))
    }

    /// All of them, for a schema.
    package var all: [any DeclaredSetting] { [console, logFile, verbosity] }
}

/// The options of a command's own log.
package struct LoggingArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Write the log to this file instead of standard error.", valueName: "file"))
    package var logfile: String?
    @Option(help: "The least severe level that is logged: DEBUG, INFO, WARNING, ERROR. (default: INFO)")
    package var verbosity: String?

    package init() {}

    /// Gives the settings what was given here.
    ///
    /// - Parameters:
    ///   - settings: The program's settings.
    ///   - given: Where it goes.
    package func fill(_ settings: LoggingSettings, in given: inout CommandLineValues) {
        given.set(settings.logFile, to: logfile, option: "--logfile")
        given.set(settings.verbosity, to: verbosity, option: "--verbosity")
    }
}
