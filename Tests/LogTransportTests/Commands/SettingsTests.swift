import ArgumentParser
import CommandKit
import LogCommands
import LogTransport
import Logging
import Spool
import SystemPackage
import Testing
import TestServers
import ZeroMQ

@Suite("Settings of hayrack and zmqpush")
struct LogSettingsTests {
    /// Loads the text of a file and options as the commands do.
    private func hayrack(
        _ text: String = "", environment: [String: String] = [:], _ fill: (inout CommandLineValues) -> Void = { _ in }
    ) async throws -> Settings {
        try await load(HayrackSettings.schema, text, environment, fill)
    }

    private func load(
        _ schema: SettingsSchema, _ text: String, _ environment: [String: String],
        _ fill: (inout CommandLineValues) -> Void
    ) async throws -> Settings {
        var given = CommandLineValues()
        fill(&given)
        return try await withTemporaryFolder { folder in
            let file = "\(folder)/test.conf"
            try writeText(text, to: file)
            return try schema.load(file: FilePath(file), environment: environment, commandLine: given)
        }
    }

    @Test("without a file, hayrack binds to loopback and pushes one message a line")
    func defaults() async throws {
        let settings = try await hayrack()
        #expect(try HayrackSettings.endpoints(settings).map(\.description) == ["tcp://127.0.0.1:5000"])
        let plan = try HayrackSettings.plan(settings)
        #expect(plan.delivery == .push && plan.batch == nil && plan.spool == nil)
        #expect(plan.highWaterMark == 20_000)
        #expect(plan.options.maximumLine == 1 << 20 && plan.options.linger == .seconds(30))
        #expect(!plan.options.keepsNewline && !plan.options.confirms && plan.options.whenFull == .block)
    }

    @Test("the file of the old tool is read as it is, and its unlimited high-water mark is bounded")
    func oldFile() async throws {
        let settings = try await hayrack(
            """
            [core]

            #the host, port for the zmq socket to bind to
            zmq_bind_host = 0.0.0.0
            zmq_bind_port = 5001
            zmq_hwm = 0
            zmq_linger = -1

            [logging]

            console = True
            logfile =
            verbosity = 20
            """)
        #expect(try HayrackSettings.endpoints(settings).map(\.description) == ["tcp://0.0.0.0:5001"])
        let plan = try HayrackSettings.plan(settings)
        #expect(plan.highWaterMark == 20_000)
        #expect(plan.options.linger == RelayPlan.forever)
        #expect(settings[HayrackSettings.logging.console] == true)
        #expect(settings[HayrackSettings.logging.logFile] == nil)
        #expect(settings[HayrackSettings.logging.verbosity].level == .info)
    }

    @Test("an IPv6 address in zmq_bind_host needs no brackets")
    func oldIPv6() async throws {
        let settings = try await hayrack("[core]\nzmq_bind_host = ::1\n")
        #expect(try HayrackSettings.endpoints(settings).map(\.description) == ["tcp://[::1]:5000"])
    }

    @Test("zmq_linger counts milliseconds, and linger wins over it")
    func oldLinger() async throws {
        let old = try await hayrack("[core]\nzmq_linger = 1500\n")
        #expect(try HayrackSettings.plan(old).options.linger == .milliseconds(1500))
        let both = try await hayrack("[core]\nzmq_linger = 1500\n[hayrack]\nlinger = 2s\n")
        #expect(try HayrackSettings.plan(both).options.linger == .seconds(2))
    }

    @Test("the command line wins over the environment, and that over the file")
    func layers() async throws {
        let file = "[core]\nzmq_hwm = 1\n[hayrack]\nmax_line = 1KiB\nbatch = 2\n"
        let environment = ["LIBRA_HAYRACK_MAX_LINE": "2KiB", "LIBRA_HAYRACK_BATCH": "3"]
        let settings = try await hayrack(file, environment: environment) {
            $0.set(HayrackSettings.relay.batch, to: "4", option: "--batch")
        }
        let plan = try HayrackSettings.plan(settings)
        #expect(plan.highWaterMark == 1 && plan.options.maximumLine == 2048 && plan.batch == 4)
    }

    @Test(
        "what is wrong in a file is named with file, line and key",
        arguments: [
            (
                "[core]\nzmq_bind_hots = a",
                "test.conf:2: [core] zmq_bind_hots: unknown key; did you mean 'zmq_bind_host'?"
            ),
            ("[core]\nzmq_bind_port = 0", "test.conf:2: [core] zmq_bind_port: '0' is not"),
            ("[hayrack]\nbind = inproc://here", "test.conf:2: [hayrack] bind: 'inproc://here' is not an endpoint"),
            ("[hayrack]\nbind = tcp://127.0.0.1", "test.conf:2: [hayrack] bind: 'tcp://127.0.0.1' is not an endpoint"),
            ("[hayrack]\nsync = sometimes", "[hayrack] sync: 'sometimes' is not 'always', 'never' or"),
            ("[hayrack]\nwhen_full = explode", "[hayrack] when_full: 'explode' is not one of 'block', 'drop-oldest'"),
            ("[hayrack]\nspool_limit = 1", "[hayrack] spool_limit: '1' is not a size from 64KiB"),
            ("[logging]\nlogfile = here.log", "[logging] logfile: 'here.log' is not an absolute path"),
            ("[logging]\nverbosity = LOUD", "[logging] verbosity: 'LOUD' is not a level"),
            ("[haystack]\na = b", "unknown section [haystack]; did you mean 'hayrack'"),
        ])
    func faults(text: String, words: String) async throws {
        let error = await #expect(throws: CommandError.self) { try await hayrack(text) }
        #expect(error?.exitCode == .configuration)
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test("variables of Libra's other programs are left alone, unknown ones of its own are not")
    func environment() async throws {
        for name in [
            "WORKER_USER", "GEARMAN_SERVERS", "ZMQPUSH_TYPE", "BROADCAST_URL", "AMQP_PASSWORD", "MUSKRAT_BROKERS",
            "EVENTS_BROKERS",
        ] {
            _ = try await hayrack(environment: ["LIBRA_\(name)": "x"])
        }
        await #expect(throws: CommandError.self) { try await hayrack(environment: ["LIBRA_HAYRACK_BIMD": "x"]) }
    }

    @Test("reliable delivery packs 500 lines unless told otherwise")
    func reliableBatch() async throws {
        let settings = try await hayrack("[hayrack]\ndelivery = reliable\n")
        #expect(try HayrackSettings.plan(settings).batch == 500)
        let one = try await hayrack("[hayrack]\ndelivery = reliable\nbatch = 1\n")
        #expect(try HayrackSettings.plan(one).batch == 1)
    }

    @Test("a spool takes its limit, policy and overflow along")
    func spool() async throws {
        let settings = try await hayrack(
            "[hayrack]\nspool = /var/spool/hayrack\nspool_limit = 10MiB\nsync = always\nwhen_full = drop-oldest\n")
        let spool = try #require(try HayrackSettings.plan(settings).spool)
        #expect(spool.directory == "/var/spool/hayrack" && spool.limit == 10 << 20)
        #expect(spool.sync == .always && spool.whenFull == .dropOldest)
    }

    @Test("what does not go together is refused, with the options that say it")
    func combinations() async throws {
        let relay = HayrackSettings.relay
        for (fill, words): (@Sendable (inout CommandLineValues) -> Void, [String]) in [
            ({ $0.set(relay.confirms, ifGiven: true, option: "--confirm") }, ["--confirm", "--spool", "reliable"]),
            ({ $0.set(relay.sync, to: "always", option: "--sync") }, ["--sync", "--spool"]),
            ({ $0.set(relay.spoolLimit, to: "1GiB", option: "--spool-limit") }, ["--spool-limit", "--spool"]),
            (
                {
                    $0.set(relay.confirms, ifGiven: true, option: "--confirm")
                    $0.set(relay.spool, to: "/tmp/x", option: "--spool")
                    $0.set(relay.whenFull, to: "drop-newest", option: "--when-full")
                }, ["--when-full", "--confirm", "block"]
            ),
        ] {
            let settings = try await hayrack("", fill)
            let error = #expect(throws: CommandError.self) { try HayrackSettings.plan(settings) }
            #expect(error?.exitCode == .usage)
            for word in words { #expect(error?.description.contains(word) == true, "\(error?.description ?? "")") }
        }
        let inFile = try await hayrack("[hayrack]\nconfirm = yes\n")
        #expect(throws: CommandError.self) { try HayrackSettings.plan(inFile) }
    }

    @Test("a line that was asked for and that the spool or the queue cannot hold is refused, with what to do")
    func longLines() async throws {
        for (text, words): (String, String) in [
            ("spool = /s\nspool_limit = 8MiB\nmax_line = 1MiB\nkeep_newline = yes", "has to be 8193KiB or more"),
            ("spool = /s\nspool_limit = 64KiB\nmax_line = 16KiB", "64KiB holds lines of 8192B"),
            ("spool = /s\nspool_limit = 100GiB\nmax_line = 16MiB", "no spool holds such lines"),
            ("spool = /s\nspool_limit = 100GiB\nmax_line = 16MiB", "name 16777215B or less"),
            ("when_full = drop-oldest\nmax_line = 5MiB", "drop-oldest drops from is a queue of 4MiB in memory"),
        ] {
            let settings = try await hayrack("[hayrack]\n\(text)\n")
            let error = #expect(throws: CommandError.self, "\(text)") { try HayrackSettings.plan(settings) }
            #expect(error?.exitCode == .configuration)
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
        let settings = try await hayrack {
            $0.set(HayrackSettings.relay.whenFull, to: "drop-newest", option: "--when-full")
            $0.set(HayrackSettings.relay.maximumLine, to: "5MiB", option: "--max-line")
        }
        let error = #expect(throws: CommandError.self) { try HayrackSettings.plan(settings) }
        #expect(error?.exitCode == .usage && error?.description.contains("--max-line: ") == true)
        // What the messages name is enough.
        for text in [
            "spool = /s\nspool_limit = 8MiB\nmax_line = 1MiB",
            "spool = /s\nspool_limit = 8193KiB\nmax_line = 1MiB\nkeep_newline = yes",
            "spool = /s\nspool_limit = 100GiB\nmax_line = 16777215", "when_full = drop-oldest\nmax_line = 4MiB",
        ] {
            #expect(try HayrackSettings.plan(try await hayrack("[hayrack]\n\(text)\n")).notice == nil, "\(text)")
        }
    }

    @Test("the longest line gives way to a small spool where nobody asked for one, and that is said")
    func lineBound() async throws {
        let plan = try HayrackSettings.plan(try await hayrack("[hayrack]\nspool = /s\nspool_limit = 4MiB\n"))
        #expect(plan.options.maximumLine == 512 << 10)
        #expect(plan.notice?.contains("lines of more than 524288 bytes are cut") == true, "\(plan.notice ?? "")")
        #expect(plan.notice?.contains("a limit of 8MiB takes lines of 1MiB") == true, "\(plan.notice ?? "")")
        // In JSON a byte may become six.
        let file = "[zmqpush]\nspool = /s\nspool_limit = 8MiB\n"
        let json = try ZMQPushSettings.plan(try await load(ZMQPushSettings.schema, file, [:], { _ in }))
        #expect(json.options.maximumLine == ((1 << 20) - 256 - 6 * 6) / 6)
        #expect(json.notice?.contains("are cut") == true)
        let large = "[zmqpush]\nspool = /s\nspool_limit = 49155KiB\n"
        let whole = try ZMQPushSettings.plan(try await load(ZMQPushSettings.schema, large, [:], { _ in }))
        #expect(whole.options.maximumLine == 1 << 20 && whole.notice == nil)
        #expect(json.notice?.contains("49155KiB") == true, "\(json.notice ?? "")")
    }

    @Test("zmqpush connects to its old default, with type syslog")
    func zmqpush() async throws {
        let settings = try await load(ZMQPushSettings.schema, "", [:], { _ in })
        #expect(try ZMQPushSettings.endpoints(settings).map(\.description) == ["tcp://127.0.0.1:5014"])
        #expect(settings[ZMQPushSettings.type] == "syslog" && settings[ZMQPushSettings.encoding] == .replace)
        #expect(!settings[ZMQPushSettings.emptyTopic])
        _ = try ZMQPushSettings.plan(settings)
    }

    @Test("an empty topic goes only with plain messages", arguments: ["delivery = reliable", "batch = 10"])
    func emptyTopic(line: String) async throws {
        let settings = try await load(ZMQPushSettings.schema, "[zmqpush]\nempty_topic = yes\n\(line)\n", [:], { _ in })
        #expect(throws: CommandError.self) { try ZMQPushSettings.plan(settings) }
    }

    @Test("several endpoints may stand in one value, or come from several options")
    func endpoints() async throws {
        let file = try await hayrack("[hayrack]\nbind = tcp://127.0.0.1:1, tcp://[::1]:2\n")
        #expect(try HayrackSettings.endpoints(file).count == 2)
        let line = try await hayrack("[hayrack]\nbind = tcp://127.0.0.1:1\n") {
            $0.set(HayrackSettings.bind, to: ["ipc:///tmp/a", "tcp://*:9"], option: "--bind")
        }
        #expect(try HayrackSettings.endpoints(line).map(\.description) == ["ipc:///tmp/a", "tcp://*:9"])
    }
}
