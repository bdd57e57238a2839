import ArgumentParser
import CommandKit
import Configuration
import Glibc
import SystemPackage
import TestServers
import Testing

enum Service: String, CaseIterable, Sendable { case ubuntu, debian, process }

/// The settings of a worker, made up for the tests.
enum Known {
    static let servers = Setting(
        "worker", "server", .words, default: ["localhost"], otherPlaces: [SettingPlace("gearman", "servers")])
    static let connections = Setting("worker", "connections", .integer(1...64), default: 4)
    static let user = Setting("worker", "user", .word)
    static let debug = Setting("worker", "debug", .boolean, default: false)
    static let poll = Setting("worker", "stats_poll", .seconds(0...3600), default: .seconds(300))
    static let sleep = Setting(
        "gearman", "reconnect_sleep", .seconds(1...60), default: .seconds(60),
        otherPlaces: [SettingPlace("worker", "reconnect_sleep")])
    static let logFile = Setting("worker", "logfile", .path, default: "/var/log/libra.log")
    static let service = Setting(
        "worker:haproxy", "service", .choice as ValueKind<Service>, default: .ubuntu,
        otherPlaces: [SettingPlace("worker", "haproxy_service")])
    static let proxyLog = Setting(
        "worker:haproxy", "logfile", .path, default: "/var/log/haproxy.log", inheritsGlobal: false)
    static let token = Setting("worker", "token", .secret)
    static let check = Setting(
        "worker", "network_check",
        .parsed("a HOST:PORT") {
            $0.contains(":") ? $0 : nil
        } format: {
            $0
        }, default: "google.com:80")

    static let schema = SettingsSchema(
        [servers, connections, user, debug, poll, sleep, logFile, service, proxyLog, token, check],
        foreignSections: ["muskrat"], exemptVariables: ["LIBRA_TEST_"])
}

/// Loads settings from a file with this text.
func load(
    _ text: String? = nil, environment: [String: String] = [:], commandLine: CommandLineValues = CommandLineValues()
) async throws -> Settings {
    try await withTemporaryFolder { folder in
        let path = "\(folder)/libra.cfg"
        if let text { try writeText(text, to: path) }
        return try Known.schema.load(
            file: text.map { _ in FilePath(path) }, environment: environment, commandLine: commandLine)
    }
}

/// The faults of a load that fails, without the folder of the file, and its exit code.
func faults(
    _ text: String? = nil, environment: [String: String] = [:], commandLine: CommandLineValues = CommandLineValues()
) async throws -> (messages: [String], exitCode: ExitCode) {
    do {
        _ = try await load(text, environment: environment, commandLine: commandLine)
        return ([], .success)
    } catch let error as CommandError {
        return (
            error.messages.map { $0.replacing(#/\/tmp\/libra-test-[^\/]*\//#, with: "") }, error.exitCode
        )
    }
}

@Suite struct SettingsTests {
    @Test("without any layer a setting has its default, or no value")
    func defaults() async throws {
        let settings = try await load()
        #expect(settings[Known.servers] == ["localhost"])
        #expect(settings[Known.connections] == 4)
        #expect(settings[Known.user] == nil)
        #expect(settings[Known.debug] == false)
        #expect(settings[Known.poll] == .seconds(300))
        #expect(settings[Known.logFile] == "/var/log/libra.log")
        #expect(settings[Known.service] == .ubuntu)
        #expect(settings[Known.token] == nil)
        #expect(!settings.isSet(Known.connections))
    }

    @Test("each kind of value is read from the file")
    func kinds() async throws {
        let settings = try await load(
            """
            [worker]
            server = a:1, b:2
                [::1]:3
            connections = 7
            user : haproxy
            debug = Yes
            stats-poll = 0.25
            logfile = /x/y
            token = s3cret
            network_check = h:1
            [worker:haproxy]
            service = PROCESS
            [muskrat]
            anything = goes
            """)
        #expect(settings[Known.servers] == ["a:1", "b:2", "[::1]:3"])
        #expect(settings[Known.connections] == 7)
        #expect(settings[Known.user] == "haproxy")
        #expect(settings[Known.debug])
        #expect(settings[Known.poll] == .milliseconds(250))
        #expect(settings[Known.logFile] == "/x/y")
        #expect(settings[Known.service] == .process)
        #expect(settings[Known.token]?.reveal() == "s3cret")
        #expect(settings[Known.check] == "h:1")
    }

    @Test("the command line wins over the environment, that over the file, that over the defaults")
    func precedence() async throws {
        let file = "[worker]\nconnections = 2\nuser = file\nstats_poll = 2\n"
        let environment = ["LIBRA_WORKER_CONNECTIONS": "3", "LIBRA_WORKER_USER": "environment"]
        var commandLine = CommandLineValues()
        commandLine.set(Known.connections, to: 5, option: "--connections")
        commandLine.set(Known.user, to: nil, option: "--user")
        commandLine.set(Known.debug, ifGiven: true, option: "--debug")
        commandLine.set(Known.servers, to: ["x:1", "y:2"], option: "--server")
        let settings = try await load(file, environment: environment, commandLine: commandLine)
        #expect(settings[Known.connections] == 5)
        #expect(settings[Known.user] == "environment")
        #expect(settings[Known.poll] == .seconds(2))
        #expect(settings[Known.debug])
        #expect(settings[Known.servers] == ["x:1", "y:2"])
        #expect(settings.origin(of: Known.connections) == "--connections")
        #expect(settings.origin(of: Known.user) == "LIBRA_WORKER_USER")
        #expect(settings.origin(of: Known.poll)?.hasSuffix("libra.cfg:4: [worker] stats_poll") == true)
        #expect(settings.reader.int(forKey: "worker.connections") == 5)
        #expect(settings.reader.string(forKey: "worker.haproxy.service") == "ubuntu")
    }

    @Test("a flag that is not given leaves a file's value alone")
    func flag() async throws {
        var commandLine = CommandLineValues()
        commandLine.set(Known.debug, ifGiven: false, option: "--debug")
        #expect(try await load("[worker]\ndebug = on", commandLine: commandLine)[Known.debug])
    }

    @Test("[global] and [DEFAULT] set a key in every section that knows it, and the section itself wins")
    func global() async throws {
        for name in ["global", "DEFAULT"] {
            let settings = try await load(
                "[\(name)]\nuser = a\nreconnect_sleep = 5\nlogfile = /g\n[worker]\nuser = b\n")
            #expect(settings[Known.user] == "b")
            #expect(settings[Known.sleep] == .seconds(5))
            #expect(settings[Known.logFile] == "/g")
            #expect(settings[Known.proxyLog] == "/var/log/haproxy.log")
        }
    }

    @Test("a bad value in [global] is one fault, however many sections know the key")
    func badGlobal() async throws {
        #expect(
            try await faults("[global]\nreconnect_sleep = x\nuser = a\nuser = b\n").messages == [
                "libra.cfg:2: [global] reconnect_sleep: 'x' is not a number of seconds from 1 to 60",
                "libra.cfg:4: [global] user: is set twice, first in line 3",
            ])
    }

    @Test("of several places of a setting in one layer the first wins, wherever it stands in the file")
    func places() async throws {
        #expect(try await load("[gearman]\nservers = a")[Known.servers] == ["a"])
        #expect(try await load("[worker]\nserver = b\n[gearman]\nservers = a")[Known.servers] == ["b"])
        #expect(try await load("[gearman]\nservers = a\n[worker]\nserver = b")[Known.servers] == ["b"])
        #expect(try await load("[worker]\nhaproxy_service = debian")[Known.service] == .debian)
        let both = ["LIBRA_GEARMAN_SERVERS": "a", "LIBRA_WORKER_SERVER": "b"]
        #expect(try await load(environment: both)[Known.servers] == ["b"])
        #expect(try await load(environment: ["LIBRA_WORKER_HAPROXY_SERVICE": "process"])[Known.service] == .process)
        let mixed = try await load("[worker]\nserver = b", environment: ["LIBRA_GEARMAN_SERVERS": "a"])
        #expect(mixed[Known.servers] == ["a"])
    }

    @Test("every fault of a file is reported with file, line and key")
    func fileFaults() async throws {
        let (messages, exitCode) = try await faults(
            """
            [worker]
            conections = 3
            connections = 65
            debug = maybe
            server = a
            nonsense
            stats_poll = 1e3
            servers = x
            logfile = relative/path
            debug = true
            user =
            network_check = nowhere

            [wroker]
            zzz = 1
            [worker:haproxy]
            service = systemd
            [global]
            qwertz = 1
            """)
        #expect(exitCode == .configuration)
        #expect(
            messages
                == [
                    "libra.cfg:2: [worker] conections: unknown key; did you mean 'connections'?",
                    "libra.cfg:6: is neither 'key = value' nor a [section]",
                    "libra.cfg:8: [worker] servers: unknown key; it belongs in [gearman]",
                    "libra.cfg:10: [worker] debug: is set twice, first in line 4",
                    "libra.cfg:14: unknown section [wroker]; did you mean 'worker'?",
                    "libra.cfg:19: [global] qwertz: unknown key",
                    "libra.cfg:3: [worker] connections: '65' is not a whole number from 1 to 64",
                    "libra.cfg:11: [worker] user: has no value",
                    "libra.cfg:4: [worker] debug: 'maybe' is not 'true' or 'false'",
                    "libra.cfg:7: [worker] stats_poll: '1e3' is not a number of seconds from 0 to 3600",
                    "libra.cfg:9: [worker] logfile: 'relative/path' is not an absolute path",
                    "libra.cfg:17: [worker:haproxy] service: 'systemd' is not one of 'ubuntu', 'debian', 'process'",
                    "libra.cfg:12: [worker] network_check: 'nowhere' is not a HOST:PORT",
                ].sorted { line(of: $0) < line(of: $1) })
    }

    @Test("unknown variables and bad values in the environment are reported, exempt and empty ones are not")
    func environmentFaults() async throws {
        let (messages, exitCode) = try await faults(environment: [
            "LIBRA_WORKER_CONECTIONS": "3", "LIBRA_WORKER_CONNECTIONS": "x", "LIBRA_TEST_HAPROXY": "1",
            "LIBRA_MUSKRAT_URL": "1", "LIBRA_WORKER_USER": "", "LIBRARY": "1",
        ])
        #expect(exitCode == .configuration)
        #expect(
            messages == [
                "LIBRA_WORKER_CONNECTIONS: 'x' is not a whole number from 1 to 64",
                "LIBRA_WORKER_CONECTIONS: unknown variable; did you mean 'LIBRA_WORKER_CONNECTIONS'?",
            ])
    }

    @Test("faults of the command line alone are usage errors, and all layers are reported together")
    func commandLineFaults() async throws {
        var commandLine = CommandLineValues()
        commandLine.set(Known.poll, to: "-1", option: "--stats-poll")
        let alone = try await faults(commandLine: commandLine)
        #expect(alone.exitCode == .usage)
        #expect(alone.messages == ["--stats-poll: '-1' is not a number of seconds from 0 to 3600"])
        let together = try await faults("[x]", environment: ["LIBRA_X": "1"], commandLine: commandLine)
        #expect(together.exitCode == .configuration)
        #expect(together.messages.count == 3)
    }

    @Test("a relative path on the command line begins at the current folder")
    func relativePath() async throws {
        var commandLine = CommandLineValues()
        commandLine.set(Known.logFile, to: "x/y.log", option: "--logfile")
        let current = try #require(FilePath.currentFolder)
        #expect(try await load(commandLine: commandLine)[Known.logFile] == current.appending("x/y.log"))
    }

    @Test("a file that is missing, a folder, or too large is named")
    func unreadableFile() async throws {
        try await withTemporaryFolder { folder in
            func problem(_ path: String, mustExist: Bool = true) -> String? {
                do {
                    _ = try Known.schema.load(file: FilePath(path), fileMustExist: mustExist, environment: [:])
                    return nil
                } catch {
                    return "\(error.exitCode.rawValue) \(error)"
                }
            }
            #expect(problem("\(folder)/no") == "78 the configuration file '\(folder)/no' does not exist")
            #expect(problem("\(folder)/no", mustExist: false) == nil)
            #expect(problem(folder, mustExist: false) == "78 the configuration file '\(folder)' is not a regular file")
            mkfifo("\(folder)/fifo", 0o600)
            #expect(problem("\(folder)/fifo")?.hasSuffix("is not a regular file") == true)
            try writeText(String(repeating: "#\n", count: 600_000), to: "\(folder)/large")
            #expect(problem("\(folder)/large")?.hasSuffix("is larger than 1048576 bytes") == true)
        }
    }

    @Test("a value with control characters is refused and shown without them")
    func controlCharacters() async throws {
        #expect(
            try await faults("[worker]\nuser = a\n  b\nconnections = \u{1b}[2J\n").messages == [
                "libra.cfg:2: [worker] user: has more than one line",
                "libra.cfg:4: [worker] connections: contains a control character",
            ])
        #expect(
            try await faults("[wor\u{1b}ker]\n").messages
                == ["libra.cfg:1: unknown section [wor\\x1bker]; did you mean 'worker'?"])
    }

    private func line(of message: String) -> Int { Int(message.split(separator: ":")[1]) ?? 0 }
}

@Suite struct SecretSettingsTests {
    @Test("a secret may come from a file, whose last line end does not count")
    func secretFile() async throws {
        try await withTemporaryFolder { folder in
            try writeText("s3cret\r\n", to: "\(folder)/token")
            let fromFile = try await load("[worker]\ntoken_file = \(folder)/token")
            #expect(fromFile[Known.token]?.reveal() == "s3cret")
            let fromVariable = try await load(environment: ["LIBRA_WORKER_TOKEN_FILE": "\(folder)/token"])
            #expect(fromVariable[Known.token]?.reveal() == "s3cret")
            let overridden = try await load(
                "[worker]\ntoken_file = \(folder)/token", environment: ["LIBRA_WORKER_TOKEN": "other"])
            #expect(overridden[Known.token]?.reveal() == "other")
        }
    }

    @Test("a secret in a file that every user of the host may read is warned of, and not shown")
    func openSecret() async throws {
        let cases: [(text: String, mode: UInt32, line: Int?)] = [
            ("[worker]\nuser = a\ntoken = s3cret", 0o644, 3), ("[worker]\ntoken = s3cret", 0o640, nil),
            ("[worker]\nuser = a", 0o644, nil), ("[worker]\ntoken = amqp://localhost/vhost", 0o604, nil),
            ("[worker]\ntoken = amqp://user@localhost", 0o604, nil),
            ("[worker]\ntoken = amqp://mq.example amqps://user:s3cret@mq.example/vhost", 0o604, 2),
        ]
        for (text, mode, line) in cases {
            try await withTemporaryFolder { folder in
                try writeText(text, to: "\(folder)/libra.cfg", mode: mode)
                let warnings = try Known.schema.load(file: FilePath("\(folder)/libra.cfg"), environment: [:]).warnings
                #expect(warnings.count == (line == nil ? 0 : 1), "\(text): \(warnings)")
                guard let line else { return }
                let beginning = "\(folder)/libra.cfg:\(line): [worker] token: every user"
                #expect(
                    warnings.first?.hasPrefix(beginning) == true && !"\(warnings)".contains("s3cret"), "\(warnings)")
            }
        }
    }

    @Test("of a secret in a file of its own that file counts, whoever may read the configuration")
    func openSecretFile() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/token"
            for (mode, isOpen) in [(0o644, true), (0o640, false)] as [(UInt32, Bool)] {
                try writeText("s3cret", to: file, mode: mode)
                let text = "[worker]\ntoken_file = \(file)"
                for warnings in [
                    try await load(text).warnings,
                    try await load(environment: ["LIBRA_WORKER_TOKEN_FILE": file]).warnings,
                ] {
                    #expect(warnings.count == (isOpen ? 1 : 0), "\(warnings)")
                    #expect(warnings.allSatisfy { $0.contains("the secret in '\(file)'") }, "\(warnings)")
                }
            }
        }
    }

    @Test("a secret and its file at once, and a file that cannot be read, are faults")
    func secretFileFaults() async throws {
        try await withTemporaryFolder { folder in
            try writeText("", to: "\(folder)/empty")
            #expect(
                try await faults("[worker]\ntoken = a\ntoken_file = /no/such\n").messages == [
                    "libra.cfg:3: [worker] token_file: the value and the file that holds it are both given",
                    "libra.cfg:3: [worker] token_file: '/no/such' does not exist",
                ])
            let variables = ["LIBRA_WORKER_TOKEN": "a", "LIBRA_WORKER_TOKEN_FILE": "b"]
            #expect(
                try await faults(environment: variables).messages
                    == ["LIBRA_WORKER_TOKEN_FILE: the value and the file that holds it are both given"])
            #expect(
                try await faults(environment: ["LIBRA_WORKER_TOKEN_FILE": "\(folder)/empty"]).messages
                    == ["LIBRA_WORKER_TOKEN_FILE: 'empty' is empty"])
        }
    }

    @Test("a secret is not shown by descriptions, dumps, errors or swift-configuration")
    func hidden() async throws {
        let secret = Secret("s3cret")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!"\(secret) \(String(reflecting: secret)) \(dumped)".contains("s3cret"))
        #expect(try await !faults("[worker]\ntoken = s3cret\n  more\n").messages.joined().contains("s3cret"))
        #expect(try await !faults("[worker]\ntoken s3cret\n").messages.joined().contains("s3cret"))
        let settings = try await load("[worker]\ntoken = s3cret\n")
        #expect(!"\(settings)".contains("s3cret"))
    }
}

@Suite("A schema that covers a part of the file")
struct PartialSchemaTests {
    private let schema = SettingsSchema([Known.servers], isPartial: true)

    @Test("looks at its own keys only")
    func ownKeysOnly() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/libra.cfg"
            try writeText(
                "[global]\nuser = haproxy\n[gearman]\nkeepcnt = many\nkeepcnt = 3\nservers = a b\n[other]\nx = y\n",
                to: file)
            let settings = try schema.load(file: FilePath(file), environment: ["LIBRA_WORKER_USER": "haproxy"])
            #expect(settings[Known.servers] == ["a", "b"])
        }
    }

    @Test("refuses its own keys when they are set twice, and lines that are none")
    func ownFaults() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/libra.cfg"
            try writeText("[gearman]\nservers = a\nservers = b\nnonsense\n", to: file)
            let error = try #require(throws: CommandError.self) {
                try schema.load(file: FilePath(file), environment: [:])
            }
            #expect(error.messages.count == 2, "\(error)")
            #expect(error.messages.first?.contains(":3: [gearman] servers: is set twice") == true, "\(error)")
        }
    }
}
