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
    /// Whose a default folder becomes when root makes it.
    public let ownership: Ownership
    /// Whether one process at a time may use it; a second one is refused.
    public let isExclusive: Bool

    /// Who owns a folder that root makes.
    public enum Ownership: Sendable {
        /// The account that writes in it: mode 0755.
        case account
        /// Root, with the account's group: mode 1770, so that the account can put files in it and nothing in its place.
        case root
    }

    /// Describes a folder.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - purpose: What it is for, as it completes "the folder of …".
    ///   - origin: The option or key that named it; nil for the default.
    ///   - ownership: Whose it becomes when root makes it.
    ///   - isExclusive: Whether one process at a time may use it.
    public init(
        _ path: FilePath, purpose: String, origin: String?, ownership: Ownership = .account, isExclusive: Bool = false
    ) {
        self.ownership = ownership
        self.isExclusive = isExclusive
        self.path = path
        self.purpose = purpose
        self.origin = origin
    }

    /// Makes a default folder that is missing: as root for an account, one level; else for itself, with those above it.
    ///
    /// A folder that is there is left as it is; ``check(as:)`` says whether it will do.
    ///
    /// - Parameter account: Who will write in it.
    /// - Throws: ``DaemonError`` with code `folder`.
    func makeIfDefault(for account: Account) throws(DaemonError) {
        guard origin == nil, linkStatus(path) == nil else { return }
        guard geteuid() == 0 else { return makeForSelf(path) }
        guard path.withPlatformString({ mkdir($0, 0o755) }) == 0 else {
            throw DaemonError(.folder, "cannot make \(name)", cause: lastError)
        }
        // The descriptor, not the path, is given away: in a parent that others can write, the path may lead elsewhere now.
        let folder = openFile(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        guard folder >= 0 else { throw DaemonError(.folder, "cannot open \(name)", cause: lastError) }
        defer { close(folder) }
        let (owner, mode): (uid_t, mode_t) =
            switch ownership {
            case .account: (account.userID, 0o755)
            case .root: (0, 0o1770)
            }
        // The mode last: a change of owner may clear bits of it.
        guard fchown(folder, owner, account.groupID) == 0, fchmod(folder, mode) == 0 else {
            throw DaemonError(.folder, "cannot give \(name) to \(account)", cause: lastError)
        }
    }

    /// Makes a folder and those above it that are missing; ``check(as:)`` says what did not work.
    private func makeForSelf(_ path: FilePath) {
        guard linkStatus(path) == nil, !path.removingLastComponent().isEmpty else { return }
        makeForSelf(path.removingLastComponent())
        _ = path.withPlatformString { mkdir($0, 0o755) }
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

    /// The folder in a message: where it is, what it is for, and what named it.
    var name: String {
        "the folder \(shown(path.string)) of \(purpose)\(origin.map { " (\($0))" } ?? "")"
    }
}
