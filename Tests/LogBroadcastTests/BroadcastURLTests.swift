import LogBroadcast
import Testing

@Suite struct BroadcastURLTests {
    @Test(
        "what a URL shows has no password in it",
        arguments: [
            ("amqp://logs:secret@mq.example/fleet", "amqp://logs@mq.example:5672/fleet"),
            ("AMQPS://logs:secret@mq.example?verify=verify_none", "amqps://logs@mq.example:5671/%2F"),
            ("tcp://127.0.0.1:5570", "tcp://127.0.0.1:5570"), ("tcp://*:5570?bind", "tcp://*:5570?bind"),
            ("ipc:///run/log?connect", "ipc:///run/log?connect"),
        ])
    func shown(_ text: String, _ shown: String) throws {
        let url = try BroadcastURL(text)
        #expect("\(url)" == shown)
        #expect(String(reflecting: url) == shown)
        var dumped = ""
        dump(url, to: &dumped)
        #expect(!dumped.contains("secret"))
    }

    @Test(
        "what is no place for a broadcast is refused, without repeating a password",
        arguments: [
            "", "amqp", "logs:secret@mq.example", "http://logs:secret@mq.example", "amqp://logs:secret@mq.example:0",
            "amqp://logs:secret@mq.example?colour=red", "amqp://logs:secret@mq.example?bind", "tcp://",
            "tcp://127.0.0.1", "tcp://127.0.0.1:5570?listen", "tcp://127.0.0.1:99999", "ipc://", "inproc://log",
        ])
    func refused(_ text: String) {
        let error = #expect(throws: LogBroadcastError.self) { try BroadcastURL(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains("secret") == false)
    }

    @Test("a side is taken where the URL names none, and by ZeroMQ peers only")
    func side() throws {
        #expect(try BroadcastURL("tcp://127.0.0.1:5570").side == nil)
        #expect(try BroadcastURL("tcp://127.0.0.1:5570").taking(.connect).side == .connect)
        #expect(try BroadcastURL("tcp://127.0.0.1:5570?bind").taking(.connect).side == .bind)
        #expect(try BroadcastURL("amqp://mq.example").taking(.connect).side == nil)
    }

    @Test(
        "a bind that other hosts can reach is warned of",
        arguments: [
            ("tcp://*:5570?bind", true), ("tcp://0.0.0.0:5570?bind", true), ("tcp://192.0.2.1:5570?bind", true),
            ("tcp://[::]:5570?bind", true), ("tcp://127.0.0.1:5570?bind", false), ("tcp://localhost:5570?bind", false),
            ("ipc:///run/log?bind", false), ("tcp://192.0.2.1:5570?connect", false), ("tcp://192.0.2.1:5570", false),
            ("amqp://192.0.2.1", false),
        ])
    func openBind(_ text: String, isOpen: Bool) throws {
        let warning = try BroadcastURL(text).openBindWarning
        #expect((warning != nil) == isOpen)
        if let warning { #expect(warning.contains("tcp://") && !warning.contains("?")) }
    }

    @Test("a viewer needs a place to watch")
    func nothingToWatch() {
        #expect(throws: LogBroadcastError.self) { try BroadcastViewer(from: []) }
    }
}
