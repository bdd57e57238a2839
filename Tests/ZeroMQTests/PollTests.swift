import Glibc
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(1))) struct PollTests {
    @Test("a wait ends with the socket or the descriptor that is ready, and says which")
    func sources() throws {
        let context = try Context()
        var pull = try Socket(.pull, in: context)
        let endpoint = try pull.bind(Endpoint("tcp://127.0.0.1:*"))
        var push = try Socket(.push, in: context)
        try push.connect(endpoint)
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var items = [PollItem(pull, .input), PollItem(descriptor: ends[0], .input)]
        #expect(try poll(&items, timeout: .zero) == 0)
        #expect(items.allSatisfy { $0.ready.isEmpty })

        #expect(write(ends[1], "x", 1) == 1)
        #expect(try poll(&items, timeout: nil) == 1)
        #expect(items[0].ready.isEmpty)
        #expect(items[1].ready == .input)

        #expect(try push.send([1], wait: true))
        items[1].events = []
        #expect(try poll(&items, timeout: nil) == 1)
        #expect(items[0].ready == .input)
        #expect(items[1].ready.isEmpty)
    }

    @Test("a wait for nothing at all lasts its time")
    func nothing() throws {
        var items: [PollItem] = []
        let start = ContinuousClock.now
        #expect(try poll(&items, timeout: .milliseconds(20)) == 0)
        #expect(ContinuousClock.now - start >= .milliseconds(19))
    }

    @Test("a descriptor whose other end is gone is ready with an error or an end")
    func hangup() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        close(ends[1])
        defer { close(ends[0]) }
        var items = [PollItem(descriptor: ends[0], .input)]
        #expect(try poll(&items, timeout: .seconds(10)) == 1)
        #expect(!items[0].ready.isEmpty)
    }
}
