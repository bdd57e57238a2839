import DaemonKit
import Glibc
import TestServers
import Testing

@Suite struct AccountTests {
    @Test("a user brings its primary group, and a group overrides it")
    func resolve() throws {
        let nobody = try Account.resolve(user: "nobody", group: nil)
        #expect(nobody.userID == (try userNumber("nobody")))
        #expect(nobody.groupID == getpwnam("nobody")?.pointee.pw_gid)
        let mixed = try Account.resolve(user: "haproxy", group: "nogroup")
        #expect(mixed.groupID == getgrnam("nogroup")?.pointee.gr_gid)
        #expect(mixed.userName == "haproxy")
        #expect(try Account.resolve(user: nil, group: nil) == Account.current)
    }

    @Test("numbers do for names, and a number without a name needs a group")
    func numbers() throws {
        let named = try Account.resolve(user: "\(userNumber("haproxy"))", group: nil)
        #expect(named == (try Account.resolve(user: "haproxy", group: nil)))
        let unnamed = try Account.resolve(user: "54321", group: "54322")
        #expect((unnamed.userID, unnamed.groupID) == (54321, 54322))
        #expect(unnamed.userName == "54321")
        let error = #expect(throws: DaemonError.self) { try Account.resolve(user: "54321", group: nil) }
        #expect(error?.message == "the user 54321 is not in the list of users: name a group too")
    }

    @Test(
        "names and numbers that cannot be are refused", arguments: ["", "4294967295", "-1", "no-one-at-all", "+5", "１"])
    func refused(name: String) {
        #expect(throws: DaemonError.self) { try Account.resolve(user: name, group: "nogroup") }
        #expect(throws: DaemonError.self) { try Account.resolve(user: nil, group: name) }
    }

    @Test("a daemon of numbers without names has no other group than the one that was named")
    func unnamedDaemon() async throws {
        try await withDaemonFolder { folder in
            chmod(folder.path, 0o777)
            let (code, output) = try await run(probe, ["--user", "54321", "--group", "54322"] + folder.options)
            try #require(code == 0, "\(output)")
            let daemon = RunningDaemon(pid: try #require(folder.pid))
            #expect(daemon.status("Uid") == "54321 54321 54321 54321")
            #expect(daemon.status("Gid") == "54322 54322 54322 54322")
            #expect(daemon.status("Groups") == "54322")
        }
    }
}
