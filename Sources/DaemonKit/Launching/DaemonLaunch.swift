import Glibc

/// The daemon's side of the handshake with the process that started it.
///
/// Take it first thing in `main`, before there are other threads. Print what keeps the daemon from starting to standard
/// error and exit with a code: both reach the user. A program that is started before ``ready()`` and outlives it needs a
/// standard error of its own: the daemon's leads to the process that the user waits for.
public final class DaemonLaunch: Sendable {
    static let variable = "DAEMONKIT_LAUNCHER"
    /// Where the pipe is that says "ready".
    static let descriptor: Int32 = 3

    private init() {}

    /// Takes the handshake if this process was started by ``Daemon/launch(arguments:within:)``.
    ///
    /// - Returns: The handshake; nil when the process was started by anyone else.
    public static func take() -> DaemonLaunch? {
        guard let value = getenv(variable).map({ String(cString: $0) }) else { return nil }
        unsetenv(variable)
        // A variable that was left over in someone's environment names another process.
        guard Int32(value) == getppid(), let status = fileStatus(descriptor), status.st_mode & S_IFMT == S_IFIFO
        else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        nameProcess()
        return DaemonLaunch()
    }

    /// Says that the daemon serves, and lets go of the terminal: standard error is `/dev/null` from here on.
    ///
    /// Call it once. The process that started the daemon then ends with 0.
    ///
    /// - Throws: ``DaemonError`` with code `launcherGone` when nobody waits any more, because the user has interrupted
    ///   the start: the daemon should end.
    public func ready() throws(DaemonError) {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0, dup2(null, STDERR_FILENO) >= 0 else {
            throw DaemonError(.spawn, "cannot open '/dev/null'", cause: lastError)
        }
        close(null)
        let mark: [UInt8] = [Launcher.readyMark]
        signal(SIGPIPE, SIG_IGN)
        let count = retrying { write(Self.descriptor, mark, 1) }
        close(Self.descriptor)
        guard count == 1 else {
            throw DaemonError(.launcherGone, "the start was interrupted before the daemon was ready", cause: lastError)
        }
    }

    /// Gives the process its name back: spawned as `/proc/self/exe` the kernel calls it `exe`.
    private static func nameProcess() {
        guard let name = CommandLine.arguments.first?.split(separator: "/").last else { return }
        let file = open("/proc/self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        let bytes = Array(name.utf8.prefix(15))
        _ = write(file, bytes, bytes.count)
    }
}
