import Gearman
import Logging
import Testing

@Suite struct WorkerOptionsTests {
    private func worker(
        _ function: String = "host", _ servers: [JobServer]? = nil, _ change: (inout WorkerOptions) -> Void = { _ in }
    ) throws -> Worker {
        var options = WorkerOptions()
        change(&options)
        return try Worker(
            function: function, servers: servers ?? [try JobServer("localhost")], options: options,
            logger: Logger(label: "test"), handler: { _ in .fail })
    }

    @Test("the defaults are accepted, and what is asked of a worker before it runs has an answer")
    func defaults() throws {
        let worker = try worker("host", [JobServer("a"), JobServer("b"), JobServer("a")])
        #expect(worker.function == "host")
        #expect(worker.status.map(\.server.host) == ["a", "b"])
        #expect(worker.status.allSatisfy { !$0.isConnected && $0.connections == 0 && $0.lastError == nil })
    }

    @Test("options out of range are refused by name")
    func ranges() {
        let changes: [(String, (inout WorkerOptions) -> Void)] = [
            ("connections", { $0.connections = 0 }), ("connections", { $0.connections = 33 }),
            ("maximumConnections", { $0.maximumConnections = 257 }), ("reconnectSleep", { $0.reconnectSleep = .zero }),
            ("connectTimeout", { $0.connectTimeout = .seconds(-1) }), ("spareLifetime", { $0.spareLifetime = .zero }),
            ("identifier", { $0.identifier = "" }), ("identifier", { $0.identifier = "two words" }),
            ("identifier", { $0.identifier = String(repeating: "x", count: 255) }),
            ("keepalive.count", { $0.keepalive?.count = 0 }), ("keepalive.idle", { $0.keepalive?.idle = .zero }),
            ("keepalive.interval", { $0.keepalive?.interval = .seconds(40_000) }),
        ]
        for (name, change) in changes {
            let error = #expect(throws: GearmanError.self) { try worker("host", nil, change) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("'\(name)'") == true)
        }
    }

    @Test("a worker needs a function that has a name, and a job server")
    func names() {
        for function in ["", "a b", "a\nb", "a\0", String(repeating: "x", count: 513)] {
            #expect(throws: GearmanError.self) { try worker(function) }
        }
        #expect(throws: GearmanError.self) { try worker("host", []) }
    }

    @Test("an error says what happened and why, and whether to try again")
    func errors() {
        let error = #expect(throws: GearmanError.self) { try worker("host", []) }
        #expect(error?.code.description == "invalidArgument")
        #expect(error?.description == error?.message)
        #expect(error?.cause == nil)
    }
}
