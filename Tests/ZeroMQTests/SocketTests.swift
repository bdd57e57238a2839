import Glibc
import Synchronization
import TestServers
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(1))) struct SocketTests {
    let context: Context

    init() throws { context = try Context() }

    @Test("messages go from PUSH to PULL in order, whole, with every byte")
    func pushPull() throws {
        var pull = try Socket(.pull, in: context)
        let endpoint = try pull.bind(Endpoint("tcp://127.0.0.1:*"))
        var push = try Socket(.push, in: context, options: lingering())
        try push.connect(endpoint)
        let all = (0...255).map { UInt8($0) }
        #expect(try push.send(all, wait: true))
        #expect(try push.send([], wait: true))
        #expect(try push.send([1], more: true, wait: true))
        #expect(try push.send([2], wait: true))
        #expect(try pull.received() == [all])
        #expect(try pull.received() == [[]])
        #expect(try pull.received() == [[1], [2]])
    }

    @Test("a socket bound to a free port says which it is; it is another socket's to take no more")
    func chosenPort() throws {
        var first = try Socket(.pull, in: context)
        let endpoint = try first.bind(Endpoint("tcp://127.0.0.1:0"))
        #expect(!endpoint.isWildcard)
        var second = try Socket(.pull, in: context)
        let error = #expect(throws: ZeroMQError.self) { try second.bind(endpoint) }
        #expect(error?.code == .addressInUse)
        #expect(error?.message.contains(endpoint.description) == true)
    }

    @Test("an IPv6 address in brackets needs no option")
    func ipv6() throws {
        var pull = try Socket(.pull, in: context)
        let endpoint = try pull.bind(Endpoint("tcp://[::1]:*"))
        #expect(endpoint.isLoopback)
        var push = try Socket(.push, in: context, options: lingering())
        try push.connect(endpoint)
        #expect(try push.send([7], wait: true))
        #expect(try pull.received() == [[7]])
    }

    @Test("an address that is not this host's cannot be bound")
    func foreignAddress() throws {
        var pull = try Socket(.pull, in: context)
        let error = #expect(throws: ZeroMQError.self) { try pull.bind(Endpoint("tcp://192.0.2.1:5000")) }
        #expect(error?.code == .unavailable)
    }

    @Test("an endpoint that stands for many cannot be connected to", arguments: ["tcp://*:5000", "tcp://127.0.0.1:0"])
    func connectToWildcard(text: String) throws {
        var push = try Socket(.push, in: context)
        let error = #expect(throws: ZeroMQError.self) { try push.connect(Endpoint(text)) }
        #expect(error?.code == .invalidArgument)
    }

    @Test("a bound PUSH without a peer has no room, and says so without waiting")
    func noPeer() throws {
        var push = try Socket(.push, in: context)
        try push.bind(Endpoint("tcp://127.0.0.1:*"))
        #expect(try !push.send([1], wait: false))
    }

    @Test("a connected PUSH keeps as many messages for an absent peer as its high-water mark says")
    func highWaterMark() throws {
        var options = SocketOptions()
        options.sendHighWaterMark = 10
        var push = try Socket(.push, in: context, options: options)
        try push.connect(Endpoint("tcp://127.0.0.1:\(freePort())"))
        #expect(try push.sendUntilFull() == 10)
    }

    @Test("what would be out of range or unlimited is refused", arguments: [0, -1, Int(Int32.max) + 1])
    func outOfRange(value: Int) {
        var options = SocketOptions()
        options.sendHighWaterMark = value
        let error = #expect(throws: ZeroMQError.self) { _ = try Socket(.push, in: context, options: options) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("\(value)") == true)
    }

    @Test("a ROUTER refuses a message for a peer that it does not know")
    func unknownPeer() throws {
        var router = try Socket(.router, in: context)
        try router.bind(Endpoint("tcp://127.0.0.1:*"))
        let error = #expect(throws: ZeroMQError.self) { _ = try router.send([1, 2], more: true, wait: false) }
        #expect(error?.code == .unreachable)
    }

    @Test("a DEALER has the routing id that it was given, and a probe tells the ROUTER of it")
    func routingID() throws {
        var router = try Socket(.router, in: context)
        let endpoint = try router.bind(Endpoint("tcp://127.0.0.1:*"))
        var options = SocketOptions()
        options.routingID = Array("dealer".utf8)
        options.probesRouter = true
        var dealer = try Socket(.dealer, in: context, options: options)
        try dealer.connect(endpoint)
        #expect(try router.received() == [Array("dealer".utf8), []])
        #expect(try router.send(Array("dealer".utf8), more: true, wait: false))
        #expect(try router.send([9], wait: false))
        #expect(try dealer.received() == [[9]])
    }

    @Test("a peer that sends more than the largest message is disconnected, and the others go on")
    func tooLong() throws {
        var options = SocketOptions()
        options.maximumMessageSize = 100
        var pull = try Socket(.pull, in: context, options: options)
        let endpoint = try pull.bind(Endpoint("tcp://127.0.0.1:*"))
        var bad = try Socket(.push, in: context)
        try bad.connect(endpoint)
        #expect(try bad.send(Array(repeating: 1, count: 101), wait: true))
        var good = try Socket(.push, in: context, options: lingering())
        try good.connect(endpoint)
        #expect(try good.send(Array(repeating: 2, count: 100), wait: true))
        #expect(try pull.received() == [Array(repeating: 2, count: 100)])
    }

    @Test("shutting the context down ends a wait in another thread")
    func shutdown() async throws {
        let context = context
        let (started, begin) = AsyncStream.makeStream(of: Void.self)
        let waiter = Task.detached {
            var pull = try Socket(.pull, in: context)
            try pull.bind(Endpoint("tcp://127.0.0.1:*"))
            begin.finish()
            var message = Message()
            return try pull.receive(into: &message, wait: true)
        }
        for await _ in started {}
        context.shutdown()
        let error = await #expect(throws: ZeroMQError.self) { try await waiter.value }
        #expect(error?.code == .terminated)
    }

    @Test("subscribers get what begins with what they asked for")
    func publish() throws {
        var subscriber = try Socket(.subscribe, in: context)
        let endpoint = try subscriber.bind(Endpoint("tcp://127.0.0.1:*"))
        try subscriber.subscribe(to: [5])
        var publisher = try Socket(.publish, in: context)
        try publisher.connect(endpoint)
        // Until the subscription has arrived, messages are for nobody.
        var items = [PollItem(subscriber, .input)]
        repeat {
            _ = try publisher.send([4, 1], wait: false)
            _ = try publisher.send([5, 1], wait: false)
        } while try poll(&items, timeout: .milliseconds(5)) == 0
        #expect(try subscriber.received() == [[5, 1]])
    }
}

func lingering() -> SocketOptions {
    var options = SocketOptions()
    options.linger = .seconds(10)
    return options
}

extension Socket {
    /// The next message's frames.
    mutating func received() throws -> [[UInt8]] {
        var items = [PollItem(self, .input)]
        guard try poll(&items, timeout: .seconds(20)) == 1 else { throw TestServerError("no message came") }
        var frames: [[UInt8]] = []
        var message = Message()
        repeat {
            _ = try receive(into: &message, wait: true)
            frames.append(message.bytes)
        } while message.hasMore
        return frames
    }

    /// Sends small messages until there is no room for one more; how many there was room for.
    mutating func sendUntilFull() throws -> Int {
        var count = 0
        while try send([1], wait: false) { count += 1 }
        return count
    }
}
