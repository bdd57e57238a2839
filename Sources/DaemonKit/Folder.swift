import Glibc
public import SystemPackage

/// A folder that a daemon needs to write in.
public struct Folder: Sendable, Equatable {
    /// Where it is.
    public let path: FilePath
    /// What it is for, as it completes "the folder of …": `the PID file`.
    public let purpose: String
    /// The option or key that named it; nil for the default, which root may make.
    public let origin: String?

    /// Describes a folder.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - purpose: What it is for, as it completes "the folder of …".
    ///   - origin: The option or key that named it; nil for the default.
    public init(_ path: FilePath, purpose: String, origin: String?) {
        self.path = path
        self.purpose = purpose
        self.origin = origin
    }

    /// Makes a default folder for an account if it is missing and the process is root: mode 0755, one level.
    ///
    /// A folder that is there is left as it is; ``check(as:)`` says whether it will do.
    ///
    /// - Parameter account: Who will write in it.
    /// - Throws: ``DaemonError`` with code `folder`.
    func makeIfDefault(for account: Account) throws(DaemonError) {
        guard origin == nil, geteuid() == 0, linkStatus(path) == nil else { return }
        guard path.withPlatformString({ mkdir($0, 0o755) }) == 0 else {
            throw DaemonError(.folder, "cannot make \(name)", cause: lastError)
        }
        // The descriptor, not the path, is given away: in a parent that others can write, the path may lead elsewhere now.
        let folder = openFile(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        guard folder >= 0 else { throw DaemonError(.folder, "cannot open \(name)", cause: lastError) }
        defer { close(folder) }
        guard fchmod(folder, 0o755) == 0, fchown(folder, account.userID, account.groupID) == 0 else {
            throw DaemonError(.folder, "cannot give \(name) to \(account)", cause: lastError)
        }
    }

    /// Whether the process, with the rights it has now, can create files there.
    ///
    /// - Parameter account: Whose rights those are, for the message.
    /// - Returns: What is wrong; nil when nothing is.
    func check(as account: Account) -> DaemonError? {
        var status = stat()
        guard path.withPlatformString({ stat($0, &status) }) == 0 else {
            let error = lastError
            guard error == .noSuchFileOrDirectory else {
                return DaemonError(.folder, "user \(account) cannot reach \(name)", cause: error)
            }
            return DaemonError(
                .folder,
                "\(name) does not exist: "
                    + (origin == nil
                        ? "start once as root, which makes it, or name another" : "create it for user \(account)"))
        }
        guard status.isFolder else { return DaemonError(.folder, "\(name) is not a folder") }
        let access = path.withPlatformString { faccessat(AT_FDCWD, $0, W_OK | X_OK, AT_EACCESS) }
        guard access == 0 else {
            return DaemonError(.folder, "\(name) is not writable by user \(account): change its owner, or name another")
        }
        return nil
    }

    private var name: String {
        "the folder \(shown(path.string)) of \(purpose)\(origin.map { " (\($0))" } ?? "")"
    }
}
