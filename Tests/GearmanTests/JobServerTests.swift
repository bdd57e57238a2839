import Gearman
import Testing

@Suite struct JobServerTests {
    @Test(
        "a host, with or without a port, and an IPv6 address in brackets are read, and written so that they can be read",
        arguments: [
            ("localhost", "localhost", 4730), ("gear-1.example.com:4731", "gear-1.example.com", 4731),
            ("127.0.0.1:1", "127.0.0.1", 1), ("[::1]", "::1", 4730), ("[::1]:65535", "::1", 65_535),
            ("[fe80::1%eth0]:4730", "fe80::1%eth0", 4730), ("under_score", "under_score", 4730),
            ("10.example", "10.example", 4730),
        ])
    func read(text: String, host: String, port: Int) throws {
        let server = try JobServer(text)
        #expect(server.host == host)
        #expect(server.port == port)
        #expect(try JobServer(server.description) == server)
        #expect(try JobServer(host: host, port: port) == server)
    }

    @Test(
        "what is no job server is refused with its text and what to write instead",
        arguments: [
            "", ":", ":4730", "host:", "host:0", "host:65536", "host:-1", "host:+1", "host:4x",
            "host:99999999999999999999",
            "host:1:2", "::1", "::1:4730", "[::1", "[::1]x", "[::1]4730", "[::1]:", "[]", "[host]", "[127.0.0.1]:1",
            "a b",
            " host", "host ", "ho\0st", "-host", ".host", "1.2.3", "256.1.1.1", "4730", "höst", "host/path",
            "http://host", "user@host", "[::1%]", "[::1\0]",
        ])
    func refuse(text: String) throws {
        let error = #expect(throws: GearmanError.self) { try JobServer(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.isRetriable == false)
    }

    @Test("a name of 254 bytes is refused, one of 253 is read")
    func long() throws {
        let name = String(repeating: "a", count: 253)
        #expect(try JobServer(name).host == name)
        #expect(throws: GearmanError.self) { try JobServer(name + "a") }
    }

    @Test("a list is read with commas and white space, each job server once; an empty one is refused")
    func list() throws {
        let servers = try JobServer.list(" a:1,b  [::1]:2,\n a:1 , ")
        #expect(servers.map(\.description) == ["a:1", "b:4730", "[::1]:2"])
        for text in ["", " , ", "a,b:x"] { #expect(throws: GearmanError.self) { try JobServer.list(text) } }
    }
}
