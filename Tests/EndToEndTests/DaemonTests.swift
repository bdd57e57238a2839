import Gearman
import Glibc
import JSON
import LoadBalancing
import Testing
import TestServers

extension EndToEnd {
    @Suite("The daemon", .enabled(if: geteuid() == 0, "needs root, to change user"))
    struct DaemonTests {
        @Test("serves with all defaults, as the user it is told to be, and ends without a trace")
        func defaults() async throws {
            let folders = ["/var/run/libra", "/var/log/libra", "/var/lib/libra", "/var/spool/libra"]
            let pidFile = "/var/run/libra/libra_worker.pid"
            try await withExclusiveMachine(saving: folders + ["/etc/libra"]) {
                await endProcess(namedIn: pidFile)
            } _: {
                _ = try await run("rm", ["-rf", "/etc/libra"] + folders)
                try await withGearmanServer { server in
                    let options = ["--user", "haproxy", "--group", "haproxy", "--server", "127.0.0.1:\(server.port)"]
                    let worker = Repository.executable("libra_worker")
                    // The user's shell has a descriptor and a umask that are not the daemon's business.
                    let start = try await command(
                        "sh", ["-c", #"exec 9</etc/passwd; umask 077; cd /tmp; exec "$@""#, "sh", worker] + options)
                    #expect(start.exitCode == 0 && start.output.isEmpty && start.complaints.isEmpty, "\(start)")
                    let pid = try #require(livingProcess(in: pidFile))

                    #expect(try await ownership("/var/run/libra") == "haproxy:haproxy 755")
                    #expect(try await ownership("/var/log/libra") == "haproxy:haproxy 755")
                    #expect(try await ownership("/var/lib/libra") == "haproxy:haproxy 755")
                    #expect(try await ownership("/var/spool/libra") == "root:haproxy 1770")
                    #expect(try await ownership(pidFile) == "haproxy:haproxy 644")
                    #expect(try await ownership("/var/log/libra/libra_worker.log") == "haproxy:haproxy 640")

                    let user = try await run("id", ["-u", "haproxy"]).output.split(separator: "\n").map(String.init)
                    let group = try await run("id", ["-g", "haproxy"]).output.split(separator: "\n").map(String.init)
                    #expect(Set(statusField("Uid", of: pid)) == Set(user))
                    #expect(Set(statusField("Gid", of: pid)) == Set(group))
                    #expect(statusField("Groups", of: pid) == group)
                    #expect(statusField("CapEff", of: pid) == ["0000000000000000"])
                    #expect(statusField("Umask", of: pid) == ["0022"])
                    #expect(linkTarget("/proc/\(pid)/cwd") == "/")
                    for descriptor in 0...2 { #expect(linkTarget("/proc/\(pid)/fd/\(descriptor)") == "/dev/null") }
                    let (_, descriptors) = try await run("ls", ["-l", "/proc/\(pid)/fd"])
                    #expect(!descriptors.contains("/etc/passwd"), "\(descriptors)")
                    #expect(getsid(pid) == pid)

                    // Registered under this host's name; the sample client finds it there.
                    let reply = try await client(of: server).send(["hpcs_action": "DISCOVER"], to: thisHost())
                    #expect(reply.isPass, "\(reply)")

                    kill(pid, SIGTERM)
                    try await eventually("the end of the daemon") { !isAlive(pid) }
                    #expect(!exists(pidFile))
                }
            }
        }

        @Test("refuses to start twice, and takes the place of one that was killed")
        func secondStart() async throws {
            try await withGearmanServer { server in
                try await withDaemonFolders { daemon in
                    let at = "127.0.0.1:\(server.port)"
                    #expect(try await daemon.start("--server", at).exitCode == 0)
                    let first = try #require(daemon.pid)
                    let second = try await daemon.start("--server", at)
                    #expect(second.exitCode != 0)
                    #expect(second.complaints.contains("process \(first) is running"), "\(second)")
                    #expect(second.complaints.split(separator: "\n").count == 1, "\(second)")
                    #expect(daemon.pid == first)
                    kill(first, SIGKILL)
                    try await eventually("the end of the daemon") { !isAlive(first) }
                    #expect(exists(daemon.pidFile))
                    let third = try await daemon.start("--server", at)
                    #expect(third.exitCode == 0, "\(third)")
                    let pid = try #require(daemon.pid)
                    #expect(pid != first)
                }
            }
        }

        @Test("opens its log again at SIGHUP, and goes on")
        func logRotation() async throws {
            try await withGearmanServer { server in
                try await withDaemonFolders { daemon in
                    #expect(try await daemon.start("--server", "127.0.0.1:\(server.port)", "--verbose").exitCode == 0)
                    let pid = try #require(daemon.pid)
                    let client = try client(of: server)
                    #expect(try await client.send(["hpcs_action": "DISCOVER"], to: "daemon-under-test").isPass)
                    try await eventually("a line in the log") { daemon.log.contains("DISCOVER") }
                    #expect(rename(daemon.logFile, daemon.logFile + ".1") == 0)
                    kill(pid, SIGHUP)
                    try await eventually("the new log") { exists(daemon.logFile) }
                    #expect(try await client.send(["hpcs_action": "PING"], to: "daemon-under-test").failure != nil)
                    try await eventually("a line in the new log") { daemon.log.contains("PING") }
                    #expect(!readText(daemon.logFile + ".1").contains("PING"))
                    #expect(daemon.pid == pid)
                }
            }
        }

        @Test("returns while no job server can be reached, and serves when one comes up", arguments: [false, true])
        func jobServerComesLate(isMute: Bool) async throws {
            try await withGearmanServer { server in
                await server.stop()
                // The address of a job server that is not there yet, or of one that accepts and says nothing.
                let relay = isMute ? try TCPRelay(to: server.port, behaviour: .blackHole) : nil
                defer { relay?.close() }
                try await withDaemonFolders { daemon in
                    let begin = ContinuousClock.now
                    let start = try await daemon.start("--server", "127.0.0.1:\(relay?.port ?? server.port)")
                    #expect(start.exitCode == 0 && start.complaints.isEmpty, "\(start)")
                    #expect(begin.duration(to: .now) < .seconds(30))
                    let pid = try #require(daemon.pid)
                    try await server.start()
                    relay?.become(.reset)
                    relay?.become(.forward)
                    let reply = try await client(of: server).send(["hpcs_action": "DISCOVER"], to: "daemon-under-test")
                    #expect(reply.isPass)
                    #expect(daemon.pid == pid)
                    #expect(daemon.log.contains(" warning "), "\(daemon.log)")
                }
            }
        }

        @Test("ends in time when SIGTERM comes while no job server can be reached")
        func endsWhileRetrying() async throws {
            try await withDaemonFolders { daemon in
                #expect(try await daemon.start("--server", "127.0.0.1:1").exitCode == 0)
                let pid = try #require(daemon.pid)
                kill(pid, SIGTERM)
                try await eventually(within: .seconds(20), "the end of the daemon") { !isAlive(pid) }
                #expect(!exists(daemon.pidFile))
            }
        }
    }
}
