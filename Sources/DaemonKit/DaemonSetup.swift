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
    /// Root makes those that are defaults; all are checked with the rights of `user`, and those that are exclusive are
    /// held until the process ends.
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
        umask(0o022)
        Signals.ignoreBrokenPipes()
        var findings = Findings()
        guard let account = takeRights(&findings) else {
            // With other rights than the user's, the checks that follow would say nothing about the user.
            throw DaemonFaults(faults: findings.faults)
        }
        if leavesFolder, chdir("/") != 0 {
            findings.faults.append(DaemonError(.folder, "user \(account) cannot enter '/'", cause: lastError))
        }
        for folder in folders where !findings.folders.contains(folder.path) {
            if let fault = folder.check(as: account) { findings.note(fault, of: folder) }
        }
        return try openFiles(account, &findings)
    }

    /// What was found to be wrong, and which folders are.
    private struct Findings {
        var faults: [DaemonError] = []
        var folders: Set<FilePath> = []

        mutating func note(_ fault: DaemonError, of folder: Folder) {
            faults.append(fault)
            folders.insert(folder.path)
        }

        /// Runs a step; a file in a folder that will not do is not one fault more.
        mutating func attempt<Value>(
            _ path: FilePath?, _ step: (FilePath) throws(DaemonError) -> Value
        ) -> Value? {
            guard let path, !folders.contains(path.removingLastComponent()) else { return nil }
            do throws(DaemonError) {
                return try step(path)
            } catch {
                faults.append(error)
                return nil
            }
        }
    }

    /// Makes the default folders and drops privileges; nil when the process does not have the user's rights now.
    private func takeRights(_ findings: inout Findings) -> Account? {
        do throws(DaemonError) {
            let account = try Account.resolve(user: user, group: group)
            for folder in folders {
                do throws(DaemonError) {
                    try folder.makeIfDefault(for: account)
                } catch {
                    findings.note(error, of: folder)
                }
            }
            try Privileges.drop(to: account)
            return account
        } catch {
            findings.faults.append(error)
            return nil
        }
    }

    private func openFiles(_ account: Account, _ findings: inout Findings) throws(DaemonFaults) -> Surroundings {
        let claimed = findings.attempt(pidFile) { path throws(DaemonError) in try PIDFile(claiming: path) }
        let opened = findings.attempt(logFile) { path throws(DaemonError) in
            try LogFile(opening: path, program: program)
        }
        // A live process with the same PID file is the same one, and one line says so.
        if !findings.faults.contains(where: { $0.code == .alreadyRunning }) {
            for folder in folders where folder.isExclusive {
                _ = findings.attempt(folder.path.appending("lock")) { _ throws(DaemonError) in try folder.claim() }
            }
        }
        guard findings.faults.isEmpty else {
            claimed?.release()
            throw DaemonFaults(faults: findings.faults)
        }
        return Surroundings(account: account, pidFile: claimed, logFile: opened)
    }
}
