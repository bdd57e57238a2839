import Glibc
import Logging
import Synchronization
public import SystemPackage

/// A log file that can be moved away under a running daemon, and that outlives a full disk.
///
/// Lines are appended with one write(2) each, in the order in which they come. A line that cannot be written is lost and
/// counted, and the next that can be is preceded by one that says how many were.
public final class LogFile: LogDestination {
    /// Where it is.
    public let path: FilePath
    private let form: LogLine
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var descriptor: Int32
        var lost = 0
        var reason: Errno?
        /// Whether the last line was cut in the middle.
        var isCut = false

        deinit { close(descriptor) }
    }

    /// Opens the file, or creates it with mode 0640.
    ///
    /// - Parameters:
    ///   - path: Where it is: a regular file or a character device, not a symbolic link.
    ///   - program: The name under which the file itself says something.
    /// - Throws: ``DaemonError`` with code `logFile`.
    public init(opening path: FilePath, program: String) throws(DaemonError) {
        self.path = path
        form = LogLine(program: program, processID: getpid())
        state = Mutex(State(descriptor: try Self.open(path)))
    }

    /// Opens the path again, and goes on there: for after the file was moved away.
    ///
    /// - Throws: ``DaemonError`` with code `logFile`; lines go on to the file that was open.
    public func reopen() throws(DaemonError) {
        let fresh = try Self.open(path)
        state.withLock { state in
            (state.descriptor, state.isCut) = (exchanging(state.descriptor, fresh), false)
        }
    }

    /// Appends a line.
    ///
    /// - Parameter line: The line, with its line feed.
    public func write(_ line: [UInt8]) {
        state.withLock { state in
            guard state.lost > 0 || state.isCut else { return Self.append(line, &state) }
            var notice: [UInt8] = state.isCut ? [UInt8(ascii: "\n")] : []
            let reason = state.reason.map { ": \($0)" } ?? ""
            notice += form.bytes(.warning, "\(state.lost) lines of this log are lost\(reason)")
            let lost = state.lost
            state.lost = 0
            Self.append(notice, &state)
            // The notice is no line of its own: if it was lost, the count is what it was.
            guard state.lost == 0 else {
                state.lost = lost + 1
                return
            }
            Self.append(line, &state)
        }
    }

    private static func append(_ line: [UInt8], _ state: inout State) {
        let descriptor = state.descriptor
        let count = retrying { Glibc.write(descriptor, line, line.count) }
        guard count != line.count else {
            state.isCut = false
            return
        }
        state.lost += 1
        state.reason = count < 0 ? lastError : .noSpace
        if count > 0 { state.isCut = true }
    }

    private static func open(_ path: FilePath) throws(DaemonError) -> Int32 {
        let name = "the log file \(shown(path.string))"
        let file = openFile(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY, mode: 0o640)
        guard file >= 0 else {
            throw errno == ELOOP
                ? DaemonError(.logFile, "\(name) is a symbolic link: name the file that it leads to")
                : DaemonError(.logFile, "cannot open \(name)", cause: lastError)
        }
        guard let status = fileStatus(file), status.isRegularFile || status.st_mode & S_IFMT == S_IFCHR else {
            close(file)
            throw DaemonError(.logFile, "\(name) is not a regular file: name another")
        }
        return file
    }
}

/// Closes a descriptor, and gives the one that takes its place.
private func exchanging(_ old: Int32, _ new: Int32) -> Int32 {
    close(old)
    return new
}
