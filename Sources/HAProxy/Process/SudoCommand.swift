public import SystemPackage

/// A command that runs as root through `sudo -n`, argument by argument: what a sudoers file has to allow.
public struct SudoCommand: Hashable, Sendable, CustomStringConvertible {
    /// The absolute path of the executable.
    public let executable: String
    /// Its arguments.
    public let arguments: [String]

    /// The arguments of `sudo` that run the command.
    public var sudoArguments: [String] { ["-n", executable] + arguments }

    /// The arguments of `sudo` that tell, by their exit code, whether the command is allowed, without running it.
    public var probeArguments: [String] { ["-n", "-l", executable] + arguments }

    /// The command as a sudoers file has to name it.
    ///
    /// There `,`, `:`, `=` and `\` mean something else without a `\` before them (sudoers(5), "Other special characters and
    /// reserved words").
    public var sudoersText: String {
        ([executable] + arguments).map { word in
            word.reduce(into: "") { result, character in
                if ",:=\\".contains(character) { result += "\\" }
                result.append(character)
            }
        }.joined(separator: " ")
    }

    /// What happens to the service.
    public enum ServiceAction: String, Hashable, Sendable, CaseIterable {
        /// `service haproxy …`.
        case start, stop, reload
    }

    /// `service haproxy start`, `stop` or `reload`.
    public static func service(_ action: ServiceAction) -> SudoCommand {
        SudoCommand(executable: "/usr/sbin/service", arguments: ["haproxy", action.rawValue])
    }

    /// `cp`, a symbolic link neither followed nor written through.
    ///
    /// The owner stays, so that who wrote a configuration can read it after it came back.
    public static func copy(_ source: FilePath, to destination: FilePath) -> SudoCommand {
        SudoCommand(
            executable: "/usr/bin/cp",
            arguments: ["-pPT", "--remove-destination", source.string, destination.string])
    }

    /// `mv`, the destination never taken for a folder.
    public static func move(_ source: FilePath, to destination: FilePath) -> SudoCommand {
        SudoCommand(executable: "/usr/bin/mv", arguments: ["-T", source.string, destination.string])
    }

    /// `rm` of a file that may be missing.
    public static func remove(_ file: FilePath) -> SudoCommand {
        SudoCommand(executable: "/usr/bin/rm", arguments: ["-f", file.string])
    }

    /// `socat` between its standard input and output and a unix socket.
    ///
    /// It goes on for up to 60 s after the end of its input: without that it would cut long replies short after half a
    /// second.
    public static func socat(to socket: FilePath) -> SudoCommand {
        SudoCommand(
            executable: "/usr/bin/socat", arguments: ["-t", "60", "STDIO", "UNIX-CONNECT:\(socket.string)"])
    }

    /// The command for a reader.
    public var description: String { ([executable] + arguments).joined(separator: " ") }
}
