import Testing
import ZeroMQ

@Suite struct EndpointTests {
    @Test(
        "an endpoint of TCP or a Unix socket is read and kept as it is written",
        arguments: [
            "tcp://127.0.0.1:5000", "tcp://*:*", "tcp://eth0:0", "tcp://[::1]:65535", "tcp://[fe80::1%eth0]:1",
            "tcp://[::ffff:127.0.0.1]:1",
            "tcp://logs-1.example.org:5014", "ipc:///run/hayrack.sock", "ipc://@hayrack", "ipc://relative/path",
        ])
    func good(text: String) throws {
        #expect(try Endpoint(text).description == text)
    }

    @Test(
        "what is no endpoint for messages between processes is refused by its name",
        arguments: [
            "", "5000", "127.0.0.1:5000", "inproc://here", "udp://127.0.0.1:5000", "pgm://eth0;239.1.1.1:5", "tcp://",
            "tcp://:5000", "tcp://host", "tcp://host:", "tcp://host:65536", "tcp://host:-1", "tcp://host:5 000",
            "tcp://host:+5", "tcp://ho st:5", "tcp://::1:5000", "tcp://[]:5", "tcp://host:5/path",
            "tcp://10.0.0.1:0;10.0.0.2:5", "tcp://10.0.0.300:5", "tcp://1.2.3.4.5:5", "tcp://.:5",
            "tcp://[::g]:5", "tcp://[fe80::1%]:5", "tcp://[1::2::3]:5", "ipc://", "ipc://*", "ipc://@", "ipc://a\0b",
            "ipc:///" + String(repeating: "x", count: 107),
        ])
    func bad(text: String) {
        let error = #expect(throws: ZeroMQError.self) { try Endpoint(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("'\(text)'") == true)
    }

    @Test(
        "only loopback addresses and Unix sockets are out of other hosts' reach",
        arguments: [
            ("tcp://127.0.0.1:1", true), ("tcp://127.9.9.9:1", true), ("tcp://[::1]:1", true),
            ("tcp://localhost:1", true), ("ipc:///run/x", true), ("tcp://*:1", false), ("tcp://0.0.0.0:1", false),
            ("tcp://[::]:1", false), ("tcp://10.0.0.1:1", false), ("tcp://localhost.example.org:1", false),
            ("tcp://127.0.0.1.example.org:1", false), ("tcp://eth0:1", false),
        ])
    func loopback(text: String, isLoopback: Bool) throws {
        #expect(try Endpoint(text).isLoopback == isLoopback)
    }
}
