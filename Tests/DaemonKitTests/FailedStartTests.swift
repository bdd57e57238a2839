import Glibc
import TestServers
import Testing

@Suite struct FailedStartTests {
    @Test("everything that keeps a daemon from starting is printed at once, a line each")
    func allFaults() async throws {
        try await withDaemonFolder { folder in
            mkdir("\(folder.path)/roots", 0o755)
            mkdir("\(folder.path)/log", 0o755)
            try writeText("", to: "\(folder.path)/file")
            symlink("/etc/passwd", folder.pidFile)
            let (code, output) = try await run(
                probe,
                [
                    "--user", "haproxy", "--folder", "\(folder.path)/missing", "--folder", "\(folder.path)/roots",
                    "--folder", "\(folder.path)/file", "--pid", folder.pidFile, "--logfile", "\(folder.path)/log",
                ])
            #expect(code == 73)
            let lines = output.split(separator: "\n").map(String.init)
            let expected = [
                "the folder '\(folder.path)/missing' of the tests (--folder) does not exist: create it for user haproxy",
                "the folder '\(folder.path)/roots' of the tests (--folder) is not writable by user haproxy: "
                    + "change its owner, or name another",
                "the folder '\(folder.path)/file' of the tests (--folder) is not a folder",
                "the PID file '\(folder.pidFile)' is a symbolic link: remove it",
                "cannot open the log file '\(folder.path)/log': Is a directory",
            ]
            #expect(lines == expected.map { "daemonkit-probe: \($0)" })
            #expect(readText("/etc/passwd").hasPrefix("root:"))
        }
    }

    @Test("a user or group that does not exist is named", arguments: ["--user", "--group"])
    func unknownAccount(option: String) async throws {
        let (code, output) = try await run(probe, [option, "no-such\u{1b}one"])
        #expect(code == 73)
        #expect(
            output
                == "daemonkit-probe: there is no \(option.dropFirst(2)) 'no-such\\x1bone': create it, or name another\n"
        )
    }

    @Test("another user's rights cannot be had without root")
    func notRoot() async throws {
        let (code, output) = try await run(
            "setpriv", ["--reuid", "haproxy", "--regid", "haproxy", "--clear-groups", probe, "--user", "nobody"])
        #expect(code == 73)
        #expect(output.hasPrefix("daemonkit-probe: only root can become user nobody, group "))
        #expect(output.contains("this is user haproxy"))
    }

    @Test("without root a daemon of the same user starts, and makes the default folders that it can")
    func sameUser() async throws {
        try await withDaemonFolder { folder in
            let haproxy = ["--reuid", "haproxy", "--regid", "haproxy", "--clear-groups", probe, "--user", "haproxy"]
            let roots = "\(folder.path)/../roots"
            let refused = try await run("setpriv", haproxy + folder.options + ["--default-folder", roots])
            #expect(refused.exitCode == 73)
            #expect(refused.output.contains("'\(roots)' of the tests does not exist: start once as root"))
            #expect(access(folder.pidFile, F_OK) != 0)
            let made = "\(folder.path)/a/b"
            let started = try await run("setpriv", haproxy + folder.options + ["--default-folder", made])
            #expect(started.exitCode == 0, "\(started.output)")
            #expect(isProcessAlive(try #require(folder.pid)))
            #expect(try fileStatus(made).st_uid == userNumber("haproxy"))
        }
    }

    @Test("a default folder that stays root's lets the user's group put files in it, and nothing in its place")
    func rootsFolder() async throws {
        try await withDaemonFolder { folder in
            let made = "\(folder.path)/staging"
            _ = try await startDaemon(folder, ["--root-folder", made])
            let status = try fileStatus(made)
            #expect(status.st_mode & 0o7777 == 0o1770)
            #expect(status.st_uid == 0)
            #expect(status.st_gid == getpwnam("haproxy")?.pointee.pw_gid)
        }
    }

    @Test("root makes a default folder for the user, but not its parents, and not through a link")
    func defaultFolder() async throws {
        try await withDaemonFolder { folder in
            let made = "\(folder.path)/made"
            _ = try await startDaemon(folder, ["--default-folder", made])
            let status = try fileStatus(made)
            #expect(status.st_mode & 0o7777 == 0o755)
            #expect(status.st_uid == (try userNumber("haproxy")))
        }
        try await withDaemonFolder { folder in
            symlink("/etc", "\(folder.path)/link")
            let (code, output) = try await run(
                probe,
                [
                    "--user", "haproxy", "--default-folder", "\(folder.path)/a/b", "--default-folder",
                    "\(folder.path)/link",
                ])
            #expect(code == 73)
            #expect(
                output.contains("cannot make the folder '\(folder.path)/a/b' of the tests: No such file or directory"))
            #expect(output.contains("the folder '\(folder.path)/link' of the tests is not writable by user haproxy"))
            #expect(try fileStatus("/etc").st_uid == 0)
        }
    }

    @Test(
        "a daemon that ends without a word is reported with how it ended",
        arguments: [
            ("exit", "exit code 0", 1), ("mute", "exit code 9", 9), ("heir", "exit code 9", 9),
            ("kill", "signal 9, Killed", 1),
        ])
    func silentEnd(fault: String, words: String, exitCode: Int32) async throws {
        let (code, output) = try await run(probe, ["--fault", fault])
        #expect(code == max(exitCode, 1))
        #expect(output == "daemonkit-probe: the daemon ended before it was ready: \(words)\n")
    }

    @Test("a crash is reported with its last words")
    func crash() async throws {
        let (code, output) = try await run(probe, ["--fault", "trap"])
        #expect(code == 1)
        #expect(output.contains("Index out of range"))
        #expect(output.contains("daemonkit-probe: the daemon ended before it was ready: signal "))
    }

    @Test("a daemon that is not ready in time is ended, also when it ignores SIGTERM", arguments: ["hang", "stubborn"])
    func deadline(fault: String) async throws {
        try await withDaemonFolder { folder in
            let (code, output) = try await run(
                probe, ["--deadline", "3", "--fault", fault, "--user", "haproxy"] + folder.options)
            #expect(code == 1)
            #expect(output == "daemonkit-probe: the daemon was not ready within 3.0 seconds, and was ended\n")
            let pid = try #require(folder.pid)
            try await eventually { !isProcessAlive(pid) }
        }
    }

    @Test("a daemon whose start was interrupted ends")
    func interrupted() async throws {
        try await withDaemonFolder { folder in
            let launcher = try await ChildProcess.start(
                probe, ["--fault", "slow", "--user", "haproxy"] + folder.options, in: folder.path)
            try await eventually { folder.pid != nil }
            let pid = try #require(folder.pid)
            await launcher.kill()
            try await eventually { !isProcessAlive(pid) }
            #expect(access(folder.pidFile, F_OK) != 0)
        }
    }

    @Test("a mark of a handshake that is left over in the environment means nothing")
    func leftOverMark() async throws {
        try await withDaemonFolder { folder in
            let daemon = try await startDaemon(folder, environment: ["DAEMONKIT_LAUNCHER": "1"])
            #expect(getsid(daemon.pid) == daemon.pid)
        }
    }
}
