import Glibc
import TestServers
import Testing

@Suite struct DaemonTests {
    @Test("a daemon has its user's rights for good, a session of its own, '/' and umask 022")
    func surroundings() async throws {
        try await withDaemonFolder { folder in
            let daemon = try await startDaemon(folder)
            #expect(daemon.isAlive)
            let user = try userNumber("haproxy")
            let group = getpwnam("haproxy")?.pointee.pw_gid ?? 0
            #expect(daemon.status("Uid") == Array(repeating: "\(user)", count: 4).joined(separator: " "))
            #expect(daemon.status("Gid") == Array(repeating: "\(group)", count: 4).joined(separator: " "))
            #expect(daemon.status("Groups") == "\(group)")
            #expect(daemon.status("CapEff") == "0000000000000000")
            #expect(daemon.status("CapPrm") == "0000000000000000")
            #expect(daemon.status("Umask") == "0022")
            #expect(getsid(daemon.pid) == daemon.pid)
            #expect(getpgid(daemon.pid) == daemon.pid)
            #expect(linkTarget("/proc/\(daemon.pid)/cwd") == "/")
            #expect(readText("/proc/\(daemon.pid)/comm") == "daemonkit-probe\n")
            #expect(linkTarget("/proc/\(daemon.pid)/exe") == probe)
            #expect(!readText("/proc/\(daemon.pid)/environ").contains("DAEMONKIT_LAUNCHER=\(daemon.pid)"))
        }
    }

    @Test("the PID file holds the daemon's number and a line feed, and belongs to the user, as the log does")
    func files() async throws {
        try await withDaemonFolder { folder in
            let daemon = try await startDaemon(folder)
            #expect(readText(folder.pidFile) == "\(daemon.pid)\n")
            let user = try userNumber("haproxy")
            let pidFile = try fileStatus(folder.pidFile)
            #expect(pidFile.st_mode & 0o7777 == 0o644)
            #expect(pidFile.st_uid == user)
            let logFile = try fileStatus(folder.logFile)
            #expect(logFile.st_mode & 0o7777 == 0o640)
            #expect(logFile.st_uid == user)
            #expect(readText(folder.logFile).contains(" info daemonkit-probe[\(daemon.pid)]: ready user=haproxy\n"))
        }
    }

    @Test("a daemon has no descriptor of the process that started it")
    func descriptors() async throws {
        try await withDaemonFolder { folder in
            let inherited = "exec 3</etc/passwd 7</etc/passwd 9>\(folder.path)/open; ulimit -n 2048; exec \"$0\" \"$@\""
            let (code, output) = try await run(
                "bash", ["-c", inherited, probe, "--user", "haproxy"] + folder.options)
            try #require(code == 0, "\(output)")
            let descriptors = RunningDaemon(pid: try #require(folder.pid)).descriptors
            for number in Int32(0)...2 { #expect(descriptors[number] == "/dev/null") }
            let meant = [folder.pidFile, folder.logFile]
            for (number, target) in descriptors where number > 2 {
                // The event loop of libdispatch, which takes the signals, has some of its own.
                #expect(meant.contains(target) || target.hasPrefix("anon_inode:"), "\(number) is \(target)")
            }
            for path in meant { #expect(descriptors.values.filter { $0 == path }.count == 1) }
        }
    }

    @Test("SIGTERM ends a daemon, also one that was started with signals ignored, and its PID file goes")
    func terminate() async throws {
        try await withDaemonFolder { folder in
            let (code, output) = try await run(
                "bash", ["-c", "trap '' TERM HUP INT; exec \"$0\" \"$@\"", probe, "--user", "haproxy"] + folder.options)
            try #require(code == 0, "\(output)")
            let daemon = RunningDaemon(pid: try #require(folder.pid))
            kill(daemon.pid, SIGTERM)
            try await eventually { !daemon.isAlive }
            #expect(access(folder.pidFile, F_OK) != 0)
            #expect(readText(folder.logFile).hasSuffix("ended\n"))
        }
    }

    @Test("signals that come while a daemon finishes neither kill it nor hurry it")
    func signalsWhileFinishing() async throws {
        try await withDaemonFolder { folder in
            let daemon = try await startDaemon(folder, ["--drain", "0.5"])
            kill(daemon.pid, SIGTERM)
            try await eventually { readText(folder.logFile).contains("draining") }
            for signal in [SIGHUP, SIGTERM, SIGINT, SIGPIPE] { kill(daemon.pid, signal) }
            try await eventually { !daemon.isAlive }
            let log = readText(folder.logFile)
            #expect(log.hasSuffix("ended\n"))
            let taken = try milliseconds(of: "ended", in: log) - milliseconds(of: "draining", in: log)
            let day = 86_400_000
            #expect((taken + day) % day >= 490, "\(log)")
        }
    }

    @Test("a daemon that cannot finish in time ends all the same")
    func finishingTakesTooLong() async throws {
        try await withDaemonFolder { folder in
            let daemon = try await startDaemon(folder, ["--drain", "60", "--limit", "0.3"])
            kill(daemon.pid, SIGTERM)
            try await eventually { !daemon.isAlive }
            #expect(access(folder.pidFile, F_OK) != 0)
        }
    }

    @Test("after SIGHUP a daemon writes to a new file where the log was moved away")
    func reopen() async throws {
        try await withDaemonFolder { folder in
            let daemon = try await startDaemon(folder)
            for round in 1...3 {
                rename(folder.logFile, "\(folder.logFile).\(round)")
                kill(daemon.pid, SIGHUP)
                try await eventually { readText(folder.logFile).contains("the log was opened again") }
                #expect(daemon.isAlive)
            }
            #expect(daemon.descriptors.values.filter { $0.contains(".log") } == [folder.logFile])
        }
    }

    @Test("a log that cannot be opened again goes on in the old file, which says so")
    func reopenFails() async throws {
        try await withDaemonFolder { folder in
            let daemon = try await startDaemon(folder)
            rename(folder.logFile, "\(folder.logFile).1")
            mkdir(folder.logFile, 0o755)
            kill(daemon.pid, SIGHUP)
            try await eventually { readText("\(folder.logFile).1").contains("could not be opened again") }
            #expect(daemon.isAlive)
        }
    }

    @Test("a second start is refused while the first is alive, naming its number and the file")
    func secondStart() async throws {
        try await withDaemonFolder { folder in
            let daemon = try await startDaemon(folder)
            let (code, output) = try await run(probe, ["--user", "haproxy"] + folder.options)
            #expect(code == 73)
            #expect(
                output == "daemonkit-probe: process \(daemon.pid) is running and holds the PID file "
                    + "'\(folder.pidFile)': stop it first\n")
            #expect(daemon.isAlive)
            #expect(readText(folder.pidFile) == "\(daemon.pid)\n")
        }
    }

    @Test("the PID file of a daemon that was killed is replaced")
    func stale() async throws {
        try await withDaemonFolder { folder in
            let first = try await startDaemon(folder)
            kill(first.pid, SIGKILL)
            try await eventually { !first.isAlive }
            #expect(readText(folder.pidFile) == "\(first.pid)\n")
            let second = try await startDaemon(folder)
            #expect(second.pid != first.pid)
            #expect(second.isAlive)
        }
    }

    @Test("a stale PID file of root's in the user's folder is replaced")
    func staleOfRoot() async throws {
        try await withDaemonFolder { folder in
            try writeText("1\n", to: folder.pidFile)
            let daemon = try await startDaemon(folder)
            #expect(readText(folder.pidFile) == "\(daemon.pid)\n")
            #expect(try fileStatus(folder.pidFile).st_uid == userNumber("haproxy"))
        }
    }

    @Test(
        "systemd hears when a daemon is ready and when it stops, by path and by abstract name",
        arguments: [false, true])
    func systemd(isAbstract: Bool) async throws {
        try await withDaemonFolder { folder in
            let address = isAbstract ? "@libra-test-\(getpid())-\(folder.path)" : "\(folder.path)/notify"
            let listener = try DatagramListener(address)
            chmod("\(folder.path)/notify", 0o777)
            let daemon = try await startDaemon(folder, environment: ["NOTIFY_SOCKET": address])
            try await eventually { listener.next() == "READY=1\nMAINPID=\(daemon.pid)" }
            kill(daemon.pid, SIGTERM)
            try await eventually { listener.next() == "STOPPING=1" }
            try await eventually { !daemon.isAlive }
        }
    }

    @Test("in the foreground there is neither a new session nor a PID file, and the log goes to standard error")
    func foreground() async throws {
        try await withTemporaryFolder { folder in
            let child = try await ChildProcess.start(probe, ["--nodaemon"], in: folder)
            try await eventually { child.output.contains("ready") }
            #expect(getsid(child.pid) == getsid(0))
            child.signal(SIGHUP)
            child.signal(SIGINT)
            #expect(try await child.waitForExit() == 0)
            #expect(child.output.contains(" info daemonkit-probe[\(child.pid)]: ended\n"))
        }
    }

    /// When a line was logged, in milliseconds of its day.
    private func milliseconds(of message: String, in log: String) throws -> Int {
        let line = try #require(log.split(separator: "\n").first { $0.hasSuffix(": \(message)") })
        let time = try #require(line.firstMatch(of: /T(\d\d):(\d\d):(\d\d)\.(\d\d\d)Z/))
        let parts = [time.1, time.2, time.3, time.4].map { Int($0) ?? 0 }
        return ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 + parts[3]
    }
}
