public import ArgumentParser
import Glibc

/// How every command of Libra starts and ends.
///
/// Usage errors exit with 64; a ``CommandError`` prints one line a fault on standard error, `name: …`, and exits with its
/// code; of URLs in what is complained of the passwords are left out; `--help` and `--version` print on standard output and
/// exit with 0; any other error prints one line and exits with 1. What would exit with 0 exits with 74 when standard output
/// did not take all that was written with a ``Terminal``; that nobody reads it any more is no failure.
extension AsyncParsableCommand {
    /// Parses the command line, runs the command, and ends the process.
    ///
    /// ```swift
    /// @main struct Worker: AsyncParsableCommand {
    ///     static func main() { runProgram() }
    /// }
    /// ```
    /// The main thread stays, asleep, until the process ends, and nothing may wait for the main actor. An asynchronous
    /// `main` would let that thread end on Linux: `ps` then shows a zombie, and `/proc` the user and the folder that the
    /// process began with, whatever a daemon makes of itself later.
    ///
    /// - Parameter arguments: The arguments without the program's name; by default the process's own.
    public static func runProgram(_ arguments: [String]? = nil) -> Never {
        Task.detached { await perform(arguments) }
        while true { pause() }
    }

    private static func perform(_ arguments: [String]?) async -> Never {
        do {
            if arguments == nil { try checkProcessArguments() }
            if let error = unknownSubcommand(arguments ?? Array(CommandLine.arguments.dropFirst())) { throw error }
            var command = try parseAsRoot(arguments)
            if var asyncCommand = command as? any AsyncParsableCommand {
                try await asyncCommand.run()
            } else {
                try command.run()
            }
            finish(with: ExitCode.success)
        } catch {
            finish(with: error)
        }
    }

    private static func finish(with error: any Error) -> Never {
        var ending = ProgramEnding(error, of: self)
        writeText(ending.output, to: STDOUT_FILENO)
        if let fault = OutputFault.ofStandardOutput.error { ending.add(fault, of: self) }
        writeText(ending.complaint, to: STDERR_FILENO)
        Glibc.exit(ending.exitCode.rawValue)
    }
}

/// Refuses arguments that are not UTF-8, which Swift repairs: they would name other files, keys and places than were meant.
///
/// - Throws: ``CommandError`` with exit code 64.
private func checkProcessArguments() throws(CommandError) {
    for number in 1..<max(1, Int(CommandLine.argc)) {
        guard let argument = CommandLine.unsafeArgv[number] else { return }
        let bytes = UnsafeRawBufferPointer(start: argument, count: strlen(argument))
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw CommandError(.usage, "argument \(number) is not UTF-8")
        }
    }
}

/// What a program prints, and the code with which it exits, after an error.
struct ProgramEnding {
    var output = ""
    var complaint = ""
    var exitCode: ExitCode

    init(_ error: any Error, of command: any ParsableCommand.Type) {
        let name = command.configuration.commandName ?? command._commandName
        if let error = error as? CommandError {
            exitCode = error.exitCode
            complaint = error.messages.map { "\(name): \(visibleText(withoutPasswords($0)))\n" }.joined()
            return
        }
        exitCode = command.exitCode(for: error)
        let message = command.message(for: error)
        if exitCode == .success {
            output = message.isEmpty ? "" : message + "\n"
            return
        }
        let safe = withoutPasswords(message)
        switch exitCode {
        case .usage:
            complaint = "\(name): \(visibleText(Self.inOneLine(safe)))\nSee '\(name) --help'.\n"
        default:
            complaint = safe.isEmpty ? "" : "\(name): \(visibleText(safe))\n"
        }
    }

    /// Adds that standard output did not take all of it.
    mutating func add(_ fault: CommandError, of command: any ParsableCommand.Type) {
        complaint += ProgramEnding(fault, of: command).complaint
        if exitCode == .success { exitCode = fault.exitCode }
    }

    /// A message of the argument parser, which lists many values one a line, `  - VALUE`, below a heading.
    private static func inOneLine(_ message: String) -> String {
        var text = ""
        for line in message.split(separator: "\n") {
            if text.isEmpty {
                text = String(line)
            } else if line.hasPrefix("  - ") {
                text += (text.hasSuffix(":") ? " " : ", ") + line.dropFirst(4)
            } else {
                text += " " + line
            }
        }
        return text
    }
}

/// Writes all of a text to a descriptor; what it does not take is lost, and noted where that is standard output.
func writeText(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            rest = rest.dropFirst(count)
        } else if errno == EAGAIN, descriptor == STDOUT_FILENO {
            // Others who share the descriptor have made it so.
            var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = poll(&item, 1, -1)
        } else if errno != EINTR {
            if descriptor == STDOUT_FILENO { OutputFault.ofStandardOutput.note(errno) }
            return
        }
    }
}
