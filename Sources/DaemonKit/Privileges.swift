import Glibc
import SystemPackage

/// Giving up root's rights for good.
///
/// libc's `initgroups`, `setgid` and `setuid` change every thread of the process (nptl(7)), so this may be called in a
/// process that has some; no other thread's work is spared, though: call it before there is any.
public enum Privileges {
    /// Takes an account's rights, and makes sure that there is no way back.
    ///
    /// It does nothing when the process has the account's rights already. A process that stays root keeps its
    /// supplementary groups only if `account` has them.
    ///
    /// - Parameter account: Whose rights to take.
    /// - Throws: ``DaemonError``: `notRoot` when this takes root, `privilegesNotDropped` when it failed.
    public static func drop(to account: Account) throws(DaemonError) {
        let isRoot = geteuid() == 0
        guard isRoot else {
            guard account.userID == geteuid(), account.groupID == getegid() else {
                throw DaemonError(
                    .notRoot,
                    "only root can become user \(account.userName), group \(account.groupID); this is user "
                        + "\(Account.current.userName), group \(getegid()): start as root, or leave out user and group")
            }
            return
        }
        try setGroups(of: account)
        guard setgid(account.groupID) == 0 else {
            throw DaemonError(.privilegesNotDropped, "cannot take the group \(account.groupID)", cause: lastError)
        }
        guard setuid(account.userID) == 0 else {
            throw DaemonError(.privilegesNotDropped, "cannot become the user \(account)", cause: lastError)
        }
        try verify(account)
    }

    private static func setGroups(of account: Account) throws(DaemonError) {
        var groups = [account.groupID]
        let status =
            account.isNamed
            ? initgroups(account.userName, account.groupID)
            : setgroups(groups.count, &groups)
        guard status == 0 else {
            throw DaemonError(.privilegesNotDropped, "cannot take the groups of \(account)", cause: lastError)
        }
    }

    /// Checks the real, effective and saved numbers of every thread, and tries to go back.
    private static func verify(_ account: Account) throws(DaemonError) {
        if account.userID != 0, setuid(0) == 0 || seteuid(0) == 0 {
            throw DaemonError(.privilegesNotDropped, "the process could become root again after it became \(account)")
        }
        if account.userID != 0, account.groupID != 0, setgid(0) == 0 || setegid(0) == 0 {
            throw DaemonError(
                .privilegesNotDropped, "the process could take root's group again after it became \(account)")
        }
        for task in folderEntries("/proc/self/task") {
            guard let status = ThreadCredentials(task: task) else { continue }
            guard status.users.allSatisfy({ $0 == account.userID }), status.groups.allSatisfy({ $0 == account.groupID })
            else {
                throw DaemonError(
                    .privilegesNotDropped,
                    "the thread \(task) kept user \(status.users), group \(status.groups) when the "
                        + "process became \(account)")
            }
        }
    }
}

/// A thread's real, effective, saved and file-system numbers, as `/proc/…/status` has them.
struct ThreadCredentials {
    private(set) var users: [UInt32] = []
    private(set) var groups: [UInt32] = []

    /// Nil when the thread has ended.
    init?(task: String) {
        guard let text = readSmallText("/proc/self/task/\(task)/status") else { return nil }
        for line in text.split(separator: "\n") {
            let fields = line.split(whereSeparator: \.isWhitespace)
            let numbers = fields.dropFirst().compactMap { UInt32($0) }
            if fields.first == "Uid:" { users = numbers }
            if fields.first == "Gid:" { groups = numbers }
        }
        guard users.count == 4, groups.count == 4 else { return nil }
    }
}
