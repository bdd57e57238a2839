import Testing

@testable import HAProxy

@Suite struct RuntimeCommandTests {
    private let backend: ProxyName
    private let server: ServerName

    init() throws {
        backend = try ProxyName("b")
        server = try ServerName("s1")
    }

    @Test("commands read as the Management Guide has them")
    func texts() throws {
        let frontend = try ProxyName("f")
        let commands: [(RuntimeCommand, String)] = [
            (.showInfo, "show info"),
            (.showStat(), "show stat"),
            (.showStat(proxy: backend), "show stat b 7 -1"),
            (.showStat(kinds: [.servers, .backends]), "show stat -1 6 -1"),
            (.showServersState(), "show servers state"),
            (.showServersState(backend: backend), "show servers state b"),
            (.showTable(backend, serverNumbersAbove: 7), "show table b data.server_id gt 7"),
            (.showProc, "show proc"),
            (.setWeight(backend, server, try Weight(5)), "set weight b/s1 5"),
            (try .setServerAddress(backend, server, Address("10.0.0.1")), "set server b/s1 addr 10.0.0.1"),
            (
                try .setServerAddress(backend, server, Address("::1"), port: Port(81)),
                "set server b/s1 addr ::1 port 81"
            ),
            (.setServerState(backend, server, .drain), "set server b/s1 state drain"),
            (.setServerHealth(backend, server, .down), "set server b/s1 health down"),
            (try .setCheckAddress(backend, server, Address("10.0.0.1")), "set server b/s1 check-addr 10.0.0.1"),
            (
                try .setCheckAddress(backend, server, Address("10.0.0.1"), port: Port(8)),
                "set server b/s1 check-addr 10.0.0.1 port 8"
            ),
            (.setCheckPort(backend, server, try Port(8)), "set server b/s1 check-port 8"),
            (.setMaxconnServer(backend, server, try Count(0)), "set maxconn server b/s1 0"),
            (.setMaxconnFrontend(frontend, try Count(10)), "set maxconn frontend f 10"),
            (.setMaxconnGlobal(try Count(10)), "set maxconn global 10"),
            (.disableFrontend(frontend), "disable frontend f"),
            (.enableFrontend(frontend), "enable frontend f"),
            (.enableDynamicCookie(backend), "enable dynamic-cookie backend b"),
            (.deleteServer(backend, server), "del server b/s1"),
            (.enableServer(backend, server), "enable server b/s1"),
            (.disableServer(backend, server), "disable server b/s1"),
            (.enableHealth(backend, server), "enable health b/s1"),
            (.disableHealth(backend, server), "disable health b/s1"),
        ]
        for (command, text) in commands { #expect(command.text == text) }
    }

    @Test("a server is added with everything that HAProxy takes at run time")
    func addServer() throws {
        var server = Server(
            name: server, address: try Address("::1"), port: try Port(80), weight: try Weight(7),
            check: ServerCheck(
                interval: try Milliseconds(2000), fastInterval: try Milliseconds(500),
                downInterval: try Milliseconds(1500),
                rise: try Count(1), fall: try Count(2), port: try Port(81)))
        server.isBackup = true
        server.maximumConnections = try Count(10)
        server.initialAddress = [.none]
        #expect(
            try RuntimeCommand.addServer(backend, server).text
                == "add server b/s1 [::1]:80 weight 7 backup maxconn 10 check port 81 inter 2s fastinter 500ms "
                + "downinter 1500ms rise 1 fall 2")
    }

    @Test("a server can be added with a number of one's own")
    func number() throws {
        let server = Server(name: server, address: try Address("10.0.0.1"), port: try Port(80))
        #expect(
            try RuntimeCommand.addServer(backend, server, number: Count(7)).text
                == "add server b/s1 10.0.0.1:80 weight 1 id 7")
    }

    @Test("a host name, which HAProxy would not resolve at run time, is refused")
    func hostNames() throws {
        let name = try Address("node.example")
        let server = Server(name: server, address: name, port: try Port(80))
        #expect(throws: HAProxyError.self) { try RuntimeCommand.addServer(backend, server) }
        #expect(throws: HAProxyError.self) { try RuntimeCommand.setServerAddress(backend, self.server, name) }
        #expect(throws: HAProxyError.self) { try RuntimeCommand.setCheckAddress(backend, self.server, name) }
    }

    @Test("a command of one's own cannot carry a second one or a payload")
    func verbatim() throws {
        #expect(try RuntimeCommand.verbatim("show errors").text == "show errors")
        for text in ["", "a;b", "a\nb", "a\rb", "a\0", "a\\;b", "add map x <<", "set x <<\n", "é", "a\u{7f}"] {
            #expect(throws: HAProxyError.self, "\(text)") { try RuntimeCommand.verbatim(text) }
        }
    }

    @Test("silence is consent, and other words are a refusal in HAProxy's own words")
    func success() throws {
        let silent = RuntimeCommand.setWeight(backend, server, try Weight(5))
        try silent.checkSuccess(of: Array("\n".utf8))
        let error = try #require(throws: HAProxyError.self) {
            try silent.checkSuccess(of: Array("No such server.\n\n".utf8))
        }
        #expect(error.code == .commandRefused)
        #expect(error.message == "HAProxy refuses 'set weight b/s1 5': No such server.")

        let adding = try RuntimeCommand.addServer(
            backend, Server(name: server, address: .anyIPv4, port: try Port(1)))
        try adding.checkSuccess(of: Array("New server registered.\n\n".utf8))
        #expect(throws: HAProxyError.self) { try adding.checkSuccess(of: Array("No such backend.\n".utf8)) }

        let moving = try RuntimeCommand.setServerAddress(backend, server, .anyIPv4)
        try moving.checkSuccess(of: Array("no need to change the addr by 'stats socket command'\n\n".utf8))
        #expect(throws: HAProxyError.self) {
            try moving.checkSuccess(of: Array("Update for the current server address family is only supported\n".utf8))
        }
    }
}
