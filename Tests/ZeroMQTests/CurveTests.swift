import TestServers
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(1))) struct CurveTests {
    let context: Context
    let server: CurveKeyPair
    let client: CurveKeyPair

    init() throws {
        context = try Context()
        server = try CurveKeyPair.generate()
        client = try CurveKeyPair.generate()
    }

    @Test("a key survives being written and read")
    func text() throws {
        let secret = try CurveSecretKey(z85: client.secretKey.z85)
        #expect(secret.z85.utf8.count == 40)
        #expect(try CurveKeyPair(secretKey: secret).publicKey == client.publicKey)
        #expect(try CurvePublicKey(z85: client.publicKey.description) == client.publicKey)
    }

    @Test(
        "what is no key is refused",
        arguments: [
            "", "short", String(repeating: "x", count: 41), String(repeating: " ", count: 40),
            String(repeating: "#", count: 40), "é" + String(repeating: "0", count: 38),
        ])
    func badText(text: String) {
        let error = #expect(throws: ZeroMQError.self) { try CurvePublicKey(z85: text) }
        #expect(error?.code == .invalidArgument)
    }

    @Test("a secret key shows in no description, and not in the error about a bad one")
    func secrecy() throws {
        let text = client.secretKey.z85
        var shown = ""
        dump(client, to: &shown)
        shown += "\(client) \(client.secretKey) \(String(reflecting: client.secretKey))"
        #expect(!shown.contains(text))
        let bad = String(text.dropLast()) + " "
        let error = #expect(throws: ZeroMQError.self) { try CurveSecretKey(z85: bad) }
        #expect(error?.description.contains(text.prefix(20)) == false)
    }

    @Test("an allowed client and the server exchange messages, whichever binds", arguments: [true, false])
    func allowed(serverBinds: Bool) throws {
        var pushOptions = lingering()
        var pullOptions = SocketOptions()
        pushOptions.curve = .server(CurveServer(secretKey: server.secretKey, allowedClients: [client.publicKey]))
        pullOptions.curve = .client(CurveClient(keys: client, serverKey: server.publicKey))
        var push = try Socket(.push, in: context, options: pushOptions)
        var pull = try Socket(.pull, in: context, options: pullOptions)
        if serverBinds {
            try pull.connect(push.bind(Endpoint("tcp://127.0.0.1:*")))
        } else {
            try push.connect(pull.bind(Endpoint("tcp://127.0.0.1:*")))
        }
        #expect(try push.send([1, 2, 3], wait: true))
        #expect(try pull.received() == [[1, 2, 3]])
    }

    @Test("a client that is not allowed gets nothing, and both sides are told")
    func notAllowed() throws {
        var stand = try Stand(context, server: server, allowed: [], client: .client(client, server.publicKey))
        #expect(try stand.serverFailure() == .keyRefused(status: 400))
        #expect(try stand.clientFailure() == .keyRefused(status: 400))
        #expect(try !stand.push.send([1], wait: false))
    }

    @Test("two servers of one context let in their own clients only")
    func twoServers() throws {
        let other = try CurveKeyPair.generate()
        var stand = try Stand(
            context, server: server, allowed: [other.publicKey], client: .client(client, server.publicKey))
        var second = try Stand(
            context, server: server, allowed: [client.publicKey], client: .client(client, server.publicKey))
        #expect(try stand.serverFailure() == .keyRefused(status: 400))
        #expect(try second.push.send([1], wait: true))
        #expect(try second.pull.received() == [[1]])
        #expect(try !stand.push.send([1], wait: false))
    }

    @Test("a client with another key for the server gets nothing, and the server is told why")
    func wrongServerKey() throws {
        var stand = try Stand(
            context, server: server, allowed: [client.publicKey],
            client: .client(client, try CurveKeyPair.generate().publicKey))
        #expect(try stand.serverFailure() == .wrongServerKey)
        guard case .connectionLost = try stand.clientFailure() else {
            Issue.record("the client was not told that the connection was lost")
            return
        }
        #expect(try !stand.push.send([1], wait: false))
    }

    @Test("a client without CURVE gets nothing from a server with it, and both sides are told")
    func plainClient() throws {
        var stand = try Stand(context, server: server, allowed: [client.publicKey], client: nil)
        #expect(try stand.serverFailure() == .mechanismMismatch)
        #expect(try stand.clientFailure() == .mechanismMismatch)
        #expect(try !stand.push.send([1], wait: false))
    }

    @Test("a client with CURVE takes nothing from a server without it")
    func plainServer() throws {
        var stand = try Stand(context, server: nil, allowed: [], client: .client(client, server.publicKey))
        #expect(try stand.clientFailure() == .mechanismMismatch)
        #expect(try !stand.push.send([1], wait: false))
    }
}

/// A bound PUSH socket and a PULL socket that connects to it, both watched.
private struct Stand: ~Copyable {
    var push: Socket
    var pull: Socket
    private var pushMonitor: SocketMonitor
    private var pullMonitor: SocketMonitor

    init(_ context: Context, server: CurveKeyPair?, allowed: Set<CurvePublicKey>, client: Curve?) throws {
        var options = SocketOptions()
        options.curve = server.map { .server(CurveServer(secretKey: $0.secretKey, allowedClients: allowed)) }
        var push = try Socket(.push, in: context, options: options)
        let pushMonitor = try SocketMonitor(of: push, in: context)
        options.curve = client
        var pull = try Socket(.pull, in: context, options: options)
        let pullMonitor = try SocketMonitor(of: pull, in: context)
        try pull.connect(push.bind(Endpoint("tcp://127.0.0.1:*")))
        self.push = push
        self.pull = pull
        self.pushMonitor = pushMonitor
        self.pullMonitor = pullMonitor
    }

    mutating func serverFailure() throws -> HandshakeFailure { try pushMonitor.failure() }
    mutating func clientFailure() throws -> HandshakeFailure { try pullMonitor.failure() }
}

extension Curve {
    fileprivate static func client(_ keys: CurveKeyPair, _ server: CurvePublicKey) -> Curve {
        .client(CurveClient(keys: keys, serverKey: server))
    }
}

extension SocketMonitor {
    /// The next event.
    mutating func event() throws -> SocketEvent {
        while true {
            if let event = try next() { return event }
            var items = [pollItem]
            guard try poll(&items, timeout: .seconds(20)) == 1 else { throw TestServerError("no event came") }
        }
    }

    /// Why the next handshake that fails does.
    mutating func failure() throws -> HandshakeFailure {
        while true {
            if case .handshakeFailed(let failure) = try event().kind { return failure }
        }
    }
}
