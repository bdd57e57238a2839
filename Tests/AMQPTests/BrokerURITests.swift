import AMQP
import Testing

struct BrokerURITests {
    @Test("what a URI leaves out has RabbitMQ's defaults")
    func defaults() throws {
        let plain = try BrokerURI("amqp://")
        #expect(plain.host == "localhost")
        #expect(plain.port == 5672)
        #expect(plain.user == "guest")
        #expect(plain.virtualHost == "/")
        #expect(plain.tls == nil)
        let tls = try BrokerURI("AMQPS://mq.example")
        #expect(tls.port == 5671)
        #expect(tls.tls == BrokerTLS())
        #expect(tls.tls?.verification == .full)
    }

    @Test(
        "the parts of a URI are found and decoded",
        arguments: [
            ("amqp://u:p@h:1/v", "h", 1, "u", "v"),
            ("amqp://u%3a%40:p%2f@h/%2f", "h", 5672, "u:@", "/"),
            ("amqp://u@h/", "h", 5672, "u", "/"),
            ("amqp://u:p@ss:w@h/v%20w", "h", 5672, "u", "v w"),
            ("amqp://[::1]:5673/gr%C3%BCn", "::1", 5673, "guest", "grün"),
            ("amqp://[fe80::1]", "fe80::1", 5672, "guest", "/"),
            ("amqp://:@h", "h", 5672, "", "/"),
        ])
    func parts(text: String, host: String, port: Int, user: String, virtualHost: String) throws {
        let uri = try BrokerURI(text)
        #expect(uri.host == host)
        #expect(uri.port == port)
        #expect(uri.user == user)
        #expect(uri.virtualHost == virtualHost)
    }

    @Test("parameters choose heartbeat, time and certificates")
    func parameters() throws {
        let uri = try BrokerURI(
            "amqps://h?cacertfile=/ca%20s.pem&certfile=/c.pem&keyfile=/k.pem&heartbeat=5&connection_timeout=250")
        #expect(
            uri.tls
                == BrokerTLS(
                    authorityFile: "/ca s.pem", identity: .init(certificateFile: "/c.pem", keyFile: "/k.pem")))
        #expect(try BrokerURI("amqps://h?verify=verify_none").tls?.verification == BrokerTLS.Verification.none)
        #expect(try BrokerURI("amqps://h?verify=verify_peer").tls?.verification == .full)
    }

    @Test(
        "a URI that cannot be meant is refused, and its password not repeated",
        arguments: [
            "", "http://u:s3cret@h", "amqp:/u:s3cret@h", "amqp://u:s3cret@h:0", "amqp://u:s3cret@h:65536",
            "amqp://u:s3cret@h:", "amqp://u:s3cret@h:+1", "amqp://u:s3cret@h/a/b", "amqp://u:s3cret%@h",
            "amqp://u:s3cret%zz@h", "amqp://u:s3cret%00@h", "amqp://u:s3cret%ff@h", "amqp://u:s3cret@[::1",
            "amqp://u:s3cret@[h]", "amqp://u:s3cret@h h", "amqp://u:s3cret@h#f", "amqp://u:s3cret@h?heartbeat=-1",
            "amqp://u:s3cret@h?heartbeat=65536", "amqp://u:s3cret@h?colour=red", "amqp://u:s3cret@h?cacertfile=x",
            "amqps://u:s3cret@h?certfile=x", "amqps://u:s3cret@h?verify=perhaps",
            "amqp://u:s3cret@h?connection_timeout=0", "amqp://" + String(repeating: "u", count: 256) + ":s3cret@h",
        ])
    func refused(text: String) {
        let error = #expect(throws: AMQPError.self) { try BrokerURI(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.isRetriable == false)
        #expect(error.map { !"\($0)".contains("s3cret") } == true)
    }

    @Test(
        "what stands behind a '?' in a password is not repeated; a parameter that is misspelt is",
        arguments: [
            ("amqp://logs:12?s3cret@h/v", "%3F"), ("amqp://logs:12?s3cret=x@h/v", "%3F"),
            ("amqp://logs:12?a%&s3cret@h", "parameter"), ("amqp://logs:12?a&s3cret=%@h", "%3F"),
            ("amqp://h?heartbaet=3", "'heartbaet'"),
        ])
    func unknownParameter(text: String, word: String) {
        let error = #expect(throws: AMQPError.self) { try BrokerURI(text) }
        #expect(error?.message.contains(word) == true, "\(String(describing: error))")
        #expect(error?.message.contains("s3cret") == false)
    }

    @Test("no way of showing a URI shows its password")
    func secrecy() throws {
        let uri = try BrokerURI("amqps://user:s3cret@[::1]:7/my%2Fhost?heartbeat=3")
        #expect(uri.description == "amqps://user@[::1]:7/my%2Fhost")
        var dumped = ""
        dump(uri, to: &dumped)
        for text in ["\(uri)", String(reflecting: uri), dumped, "\([uri])", "\(Optional(uri) as Any)"] {
            #expect(!text.contains("s3cret"))
        }
    }
}
