import Glibc
public import SystemPackage

/// What must be true before a worker serves: whose rights it has, which folders it can write, its PID and log files.
///
/// ```swift
/// var setup = DaemonSetup(program: "libra_worker")
/// setup.user = "haproxy"
/// setup.folders = [Folder("/var/run/libra", purpose: "the PID file", origin: nil)]
/// setup.pidFile = "/var/run/libra/libra_worker.pid"
/// let surroundings = try setup.enter()
/// ```
public struct DaemonSetup: Sendable {
    /// The program's name, for the log.
    public var program: String
    /// The user to become, by name or number; nil to stay who the process is.
    public var user: String?
    /// The group to take, by name or number; nil for the user's primary group.
    public var group: String?
    /// The folders to write in.
    ///
    /// Root makes those that are defaults; all are checked with the rights of `user`.
    public var folders: [Folder] = []
    /// The PID file; nil for none.
    public var pidFile: FilePath?
    /// The log file; nil for none.
    public var logFile: FilePath?
    /// Whether the working folder becomes `/`, as a daemon's does.
    public var leavesFolder = true

    /// Begins with nothing that must be true.
    ///
    /// - Parameter program: The program's name.
    public init(program: String) { self.program = program }

    /// What ``enter()`` made.
    public struct Surroundings: Sendable {
        /// Whose rights the process has now.
        public let account: Account
        /// The PID file; release it at the end.
        public let pidFile: PIDFile?
        /// The log file.
        public let logFile: LogFile?
    }

    /// Makes it true: default folders, umask 022, SIGPIPE ignored, privileges dropped, then checks, PID file and log file.
    ///
    /// What needs the new rights happens with them: the files belong to the user, and what the user cannot do fails.
    ///
    /// - Returns: The files, and whose rights the process has.
    /// - Throws: ``DaemonFaults`` with everything that failed, so that it can be put right at once. The process has
    ///   changed then too: end it.
    public func enter() throws(DaemonFaults) -> Surroundings {
        var faults: [DaemonError] = []
        umask(0o022)
        Signals.ignoreBrokenPipes()
        var account = Account.current
        var isInRights = true
        do throws(DaemonError) {
            account = try .resolve(user: user, group: group)
            for folder in folders {
                do throws(DaemonError) { try folder.makeIfDefault(for: account) } catch { faults.append(error) }
            }
            try Privileges.drop(to: account)
        } catch {
            isInRights = false
            faults.append(error)
        }
        // With the wrong rights the checks would speak of another user's, and root's would make files that are in the way.
        guard isInRights else { throw DaemonFaults(faults: faults) }
        if leavesFolder, chdir("/") != 0 {
            faults.append(DaemonError(.folder, "user \(account) cannot enter '/'", cause: lastError))
        }
        for folder in folders where !faults.contains(where: { $0.message.contains(shown(folder.path.string)) }) {
            if let fault = folder.check(as: account) { faults.append(fault) }
        }
        return try files(account, faults)
    }

    private func files(_ account: Account, _ found: [DaemonError]) throws(DaemonFaults) -> Surroundings {
        var faults = found
        var claimed: PIDFile?
        var opened: LogFile?
        // A folder that will not do is one fault, not one more for the file in it.
        let isUsable = { (path: FilePath) in
            !faults.contains { $0.code == .folder && $0.message.contains(shown(path.removingLastComponent().string)) }
        }
        if let pidFile, isUsable(pidFile) {
            do throws(DaemonError) { claimed = try PIDFile(claiming: pidFile) } catch { faults.append(error) }
        }
        if let logFile, isUsable(logFile) {
            do throws(DaemonError) { opened = try LogFile(opening: logFile, program: program) } catch {
                faults.append(error)
            }
        }
        guard faults.isEmpty else {
            claimed?.release()
            throw DaemonFaults(faults: faults)
        }
        return Surroundings(account: account, pidFile: claimed, logFile: opened)
    }
}
