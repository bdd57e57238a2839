import Glibc

/// The user and group whose rights a process has, or is to take.
public struct Account: Sendable, Equatable, CustomStringConvertible {
    /// The user's number.
    public let userID: UInt32
    /// The group's number.
    public let groupID: UInt32
    /// The user's name; its number in digits when the number has no name.
    public let userName: String
    /// Whether the user's supplementary groups can be looked up by its name.
    let isNamed: Bool

    /// The user's name.
    public var description: String { userName }

    /// The account with whose rights the process acts now.
    public static var current: Account {
        let user = geteuid()
        let entry = UserEntry.named(nil, orNumber: user)
        return Account(
            userID: user, groupID: getegid(), userName: entry?.name ?? "\(user)", isNamed: entry != nil)
    }

    /// Looks up a user and a group.
    ///
    /// - Parameters:
    ///   - user: A name, or a number in digits; nil for the user that the process has.
    ///   - group: A name, or a number in digits; nil for the user's primary group.
    /// - Returns: The account.
    /// - Throws: ``DaemonError`` with code `unknownAccount`.
    public static func resolve(user: String?, group: String?) throws(DaemonError) -> Account {
        let current = Account.current
        let number = user.flatMap(identifier)
        let entry = UserEntry.named(user, orNumber: user == nil ? current.userID : number)
        guard let userID = entry?.userID ?? number ?? (user == nil ? current.userID : nil) else {
            throw DaemonError(.unknownAccount, "there is no user \(shown(user ?? "")): create it, or name another")
        }
        let groupID: gid_t
        if let group {
            guard let known = GroupEntry.number(of: group) ?? identifier(group) else {
                throw DaemonError(.unknownAccount, "there is no group \(shown(group)): create it, or name another")
            }
            groupID = known
        } else if user == nil {
            groupID = current.groupID
        } else if let entry {
            groupID = entry.groupID
        } else {
            throw DaemonError(
                .unknownAccount, "the user \(userID) is not in the list of users: name a group too")
        }
        return Account(
            userID: userID, groupID: groupID, userName: entry?.name ?? "\(userID)", isNamed: entry != nil)
    }

    /// A number that can be a user's or a group's: the largest means "none" to the kernel.
    private static func identifier(_ text: String) -> UInt32? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt32(text), number < .max else {
            return nil
        }
        return number
    }
}

/// A user as `getpwnam` and `getpwuid` know it.
private struct UserEntry {
    let name: String
    let userID: uid_t
    let groupID: gid_t

    static func named(_ name: String?, orNumber number: uid_t?) -> UserEntry? {
        if let name, let entry = look({ getpwnam_r(name, $0, $1, $2, $3) }) { return entry }
        return number.flatMap { number in look { getpwuid_r(number, $0, $1, $2, $3) } }
    }

    private static func look(
        _ call: (
            UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
        ) -> Int32
    ) -> UserEntry? {
        withBuffer { buffer in
            var record = passwd()
            var found: UnsafeMutablePointer<passwd>?
            let status = call(&record, buffer.base, buffer.count, &found)
            guard status == 0, let entry = found?.pointee, let name = entry.pw_name else { return (status, nil) }
            return (0, UserEntry(name: String(cString: name), userID: entry.pw_uid, groupID: entry.pw_gid))
        }
    }
}

/// A group as `getgrnam` knows it.
private enum GroupEntry {
    static func number(of name: String) -> gid_t? {
        withBuffer { buffer in
            var record = group()
            var found: UnsafeMutablePointer<group>?
            let status = getgrnam_r(name, &record, buffer.base, buffer.count, &found)
            return (status, status == 0 ? found?.pointee.gr_gid : nil)
        }
    }
}

/// Calls with a buffer, and again with a larger one while it is too small.
private func withBuffer<Value>(
    _ body: ((base: UnsafeMutablePointer<CChar>, count: Int)) -> (status: Int32, value: Value?)
) -> Value? {
    var size = 4096
    while true {
        let base = UnsafeMutablePointer<CChar>.allocate(capacity: size)
        defer { base.deallocate() }
        let result = body((base, size))
        guard result.status == ERANGE, size < 1 << 20 else { return result.value }
        size *= 4
    }
}

/// A name in quotes, with nothing in it that could move a cursor or begin a line.
func shown(_ text: String) -> String { "'\(escapingControls(text))'" }
