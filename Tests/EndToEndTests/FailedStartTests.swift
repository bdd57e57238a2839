import Glibc
import Testing
import TestServers

extension EndToEnd {
    @Suite("A daemon that cannot start", .enabled(if: geteuid() == 0, "needs root, to change user"))
    struct FailedStartTests {
        /// A way to go wrong.
        struct Fault: CustomTestStringConvertible {
            let what: String
            var arguments: [String] = []
            /// Lines to add to the configuration file; `FOLDER` stands for the test's folder.
            var configuration = ""
            /// What its one line says.
            let words: [String]
            var exitCode: Int32?
            var testDescription: String { what }
        }

        @Test(
            "says why, in a line at the terminal",
            arguments: [
                Fault(what: "an unknown user", arguments: ["--user", "nobody-at-all"], words: ["nobody-at-all"]),
                Fault(what: "an unknown group", arguments: ["--group", "no-group"], words: ["no-group"]),
                Fault(
                    what: "a folder that is not there", arguments: ["--pid", "/nowhere/worker.pid"],
                    words: ["/nowhere", "--pid", "does not exist"]),
                Fault(
                    what: "a folder that cannot be written", arguments: ["--logfile", "/usr/worker.log"],
                    words: ["/usr", "--logfile", "not writable by user haproxy"]),
                Fault(
                    what: "a state folder that is not there", configuration: "[worker:haproxy]\nstatedir = FOLDER/none",
                    words: ["libra.cfg:", "FOLDER/none", "does not exist"]),
                Fault(
                    what: "a statsfile in a folder that cannot be written",
                    configuration: "[worker:haproxy]\nstatsfile = /usr/haproxy.stats",
                    words: ["libra.cfg:", "statsfile", "/usr", "not writable by user haproxy"]),
                Fault(
                    what: "an unknown key", configuration: "conections = 3",
                    words: ["libra.cfg:9: [worker] conections", "connections"], exitCode: 78),
                Fault(
                    what: "a bad value", configuration: "connections = many",
                    words: ["libra.cfg:9: [worker] connections", "many"],
                    exitCode: 78),
                Fault(
                    what: "an unknown section", configuration: "[werker]\nx = y", words: ["libra.cfg:9:", "[werker]"],
                    exitCode: 78),
                Fault(
                    what: "a configuration file that is not there", arguments: ["--config", "/nowhere/libra.cfg"],
                    words: ["/nowhere/libra.cfg"], exitCode: 78),
                Fault(
                    what: "TLS that libgearman lacks",
                    configuration: "[gearman]\nssl_ca = /a\nssl_cert = /b\nssl_key = /c",
                    words: ["stunnel", "docs/tls.md"],
                    exitCode: 78),
                Fault(what: "a part of TLS", configuration: "[gearman]\nssl_ca = /a", words: ["ssl_key"], exitCode: 78),
                Fault(
                    what: "a bad job server", arguments: ["--server", "host:port"], words: ["--server", "host:port"],
                    exitCode: 64),
                Fault(what: "no job server", arguments: ["--server", ""], words: ["job server"], exitCode: 78),
                Fault(
                    what: "a bad number", arguments: ["--reconnect-sleep", "soon"],
                    words: ["--reconnect-sleep", "soon"],
                    exitCode: 64),
                Fault(
                    what: "an unknown driver", arguments: ["--driver", "nginx"], words: ["--driver", "nginx"],
                    exitCode: 64),
                Fault(
                    what: "an unknown service", arguments: ["--haproxy-service", "sysv"], words: ["sysv"], exitCode: 64),
                Fault(what: "a bad function", arguments: ["--function", "a b"], words: ["a b"], exitCode: 64),
            ])
        func fault(fault: Fault) async throws {
            try await withTemporaryFolder { folder in
                let text = fault.configuration.replacing("FOLDER", with: folder)
                let isReplaced = text.contains("statedir")
                let daemon = try await DaemonFolders(in: folder, configuration: isReplaced ? "" : text)
                if isReplaced {
                    let rest = readText(daemon.configuration).replacing("statedir = \(daemon.stateFolder)\n", with: "")
                    try writeText(rest + text, to: daemon.configuration)
                }
                let result = try await command(
                    Repository.executable("libra_worker"),
                    ["--config", daemon.configuration]
                        + (fault.arguments.contains("--server") ? [] : ["--server", "127.0.0.1:1"]) + fault.arguments)
                await daemon.stop()
                #expect(result.exitCode != 0, "\(result)")
                if let exitCode = fault.exitCode { #expect(result.exitCode == exitCode, "\(result)") }
                #expect(result.output.isEmpty)
                #expect(result.complaints.hasPrefix("libra_worker: "), "\(result)")
                #expect(result.complaints.split(separator: "\n").count == 1, "\(result)")
                for word in fault.words {
                    #expect(result.complaints.contains(word.replacing("FOLDER", with: folder)), "\(result)")
                }
                #expect(!exists(daemon.pidFile))
            }
        }

        @Test("says everything that is wrong, one line each")
        func severalFaults() async throws {
            try await withTemporaryFolder { folder in
                let daemon = try await DaemonFolders(in: folder)
                let result = try await daemon.start("--pid", "/nowhere/a.pid", "--logfile", "/usr/a.log")
                #expect(result.exitCode == 73, "\(result)")
                let lines = result.complaints.split(separator: "\n")
                #expect(lines.count == 2, "\(result)")
                #expect(lines.allSatisfy { $0.hasPrefix("libra_worker: ") })
            }
        }

        @Test("exits with 64 for an option that is not there, and names it")
        func unknownOption() async throws {
            for option in ["--foreground", "-x", "--server-name=a"] {
                let result = try await command(Repository.executable("libra_worker"), [option])
                #expect(result.exitCode == 64, "\(result)")
                #expect(result.complaints.hasPrefix("libra_worker: "), "\(result)")
                #expect(result.complaints.contains(option.split(separator: "=")[0]), "\(result)")
            }
        }

        @Test("says that only root can become another user")
        func ordinaryUser() async throws {
            try await withTemporaryFolder { folder in
                let daemon = try await DaemonFolders(in: folder, user: "nobody")
                let program = "\(folder)/libra_worker"
                _ = try await run("cp", [Repository.executable("libra_worker"), program])
                let result = try await command(
                    "setpriv",
                    [
                        "--reuid=nobody", "--clear-groups", program, "--config", daemon.configuration, "--user",
                        "haproxy",
                    ])
                #expect(result.exitCode != 0, "\(result)")
                #expect(result.complaints.contains("root"), "\(result)")
                #expect(result.complaints.split(separator: "\n").count == 1, "\(result)")
            }
        }

        @Test("--help and --version print and exit with 0")
        func help() async throws {
            for program in ["libra_worker", "libra_client"] {
                let help = try await command(Repository.executable(program), ["--help"])
                #expect(
                    help.exitCode == 0 && help.output.contains("USAGE: \(program)") && help.complaints.isEmpty,
                    "\(help)")
                let version = try await command(Repository.executable(program), ["--version"])
                #expect(version.exitCode == 0 && version.output.split(separator: ".").count == 3, "\(version)")
            }
            let short = try await command(Repository.executable("libra_worker"), ["-h"])
            for option in [
                "-c, --config", "-n, --nodaemon", "-d, --debug", "-v, --verbose", "-p, --pid", "-l, --logfile",
                "--user",
                "--group", "--server", "-s, --reconnect-sleep", "--function", "--driver", "--haproxy-service",
                "--stats-poll", "--version",
            ] { #expect(short.output.contains(option), "\(option): \(short)") }
        }
    }
}
