import Glibc

/// Starting this program again as a daemon, and hearing from it whether it serves.
///
/// The process that the user started spawns the same program with the same arguments in a session of its own, and stays
/// until that says that it is ready, ends, or takes too long. Until then the daemon's standard error is the user's: what
/// it prints, the last words of a crash included, is read at the terminal. A running Swift process cannot be forked, so
/// it is spawned anew; both read the same configuration.
public enum Daemon {
    /// Starts the daemon and waits until it is ready.
    ///
    /// This blocks: call it where nothing else runs. The daemon begins with the signal mask and dispositions of a fresh process, standard input and output on
    /// `/dev/null`, and no other descriptor than those of the handshake.
    ///
    /// - Parameters:
    ///   - arguments: The arguments, with the program's name first; by default this process's own.
    ///   - deadline: How long the daemon may take until it is ready; it is killed when it takes longer.
    /// - Returns: The daemon's process number.
    /// - Throws: ``DaemonError``: `spawn`, `endedEarly`, `deadline`. When the daemon has printed why it ends, the message
    ///   is empty and `exitCode` is the daemon's.
    @discardableResult
    public static func launch(
        arguments: [String] = CommandLine.arguments, within deadline: Duration = .seconds(60)
    ) throws(DaemonError) -> Int32 {
        let handshake = try HandshakePipes()
        let pid: pid_t
        do {
            // Only when the daemon alone can write does the pipe's end mean the daemon's.
            defer { handshake.closeWriteEnds() }
            pid = try spawnDaemon(arguments: arguments, handshake: handshake)
        }
        var launcher = Launcher(pid: pid, handshake: handshake)
        return try launcher.wait(within: deadline)
    }
}
