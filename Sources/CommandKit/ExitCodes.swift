public import ArgumentParser

/// The exit codes of Libra's commands, as in `sysexits.h`; `ExitCode.success` and `ExitCode.failure` are the parser's own.
extension ExitCode {
    /// The command line is wrong: `EX_USAGE`, 64.
    public static let usage = ExitCode(64)
    /// A service that is needed cannot be reached: `EX_UNAVAILABLE`, 69.
    public static let unavailable = ExitCode(69)
    /// A file that is to be written cannot be created: `EX_CANTCREAT`, 73.
    public static let cannotCreate = ExitCode(73)
    /// Reading or writing failed: `EX_IOERR`, 74.
    public static let inputOutput = ExitCode(74)
    /// The configuration is wrong: `EX_CONFIG`, 78.
    public static let configuration = ExitCode(78)
}
