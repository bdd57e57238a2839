import Testing

@testable import LogBroadcast

@Suite struct OutboxTests {
    /// A publisher that takes a number of bodies, and remembers them.
    private final class Publisher {
        var next: UInt64 = 1
        var room = Int.max
        var sent: [[UInt8]] = []

        func send(from outbox: Outbox) {
            outbox.offer { body in
                guard room > 0 else { return nil }
                room -= 1
                sent.append(Array(body))
                next += 1
                return next - 1
            }
        }
    }

    private func bodies(_ numbers: ClosedRange<UInt8>) -> [Outbox.Body] { numbers.map { Outbox.Body(bytes: [$0]) } }

    @Test("bodies are offered once, in order, as far as there is room")
    func room() {
        let outbox = Outbox(limit: 1_000, remembers: true)
        let publisher = Publisher()
        #expect(outbox.append(bodies(1...5)))
        publisher.room = 3
        publisher.send(from: outbox)
        #expect(publisher.sent == [[1], [2], [3]])
        publisher.room = 9
        publisher.send(from: outbox)
        #expect(publisher.sent == [[1], [2], [3], [4], [5]])
        #expect(outbox.openRecords == 5)
        outbox.done(1...4)
        #expect(outbox.openRecords == 1)
        outbox.done(5...5)
        #expect(outbox.waitUntilDone().count == 0)
    }

    @Test(
        "of what is left at the end is told how many there are, and where they begin, in whatever order confirms came")
    func unsent() {
        let outbox = Outbox(limit: 1_000, remembers: true)
        let publisher = Publisher()
        _ = outbox.append(bodies(1...9))
        publisher.room = 7
        publisher.send(from: outbox)
        outbox.done(1...2)
        outbox.done(4...4)
        outbox.done(6...7)
        outbox.abandon()
        // 3, 5, 8 and 9, of the seven from 3 on.
        #expect(outbox.waitUntilDone() == UnsentRecords(count: 4, fromFirst: 7))
        #expect(outbox.unsent + 2 == UnsentRecords(count: 6, fromFirst: 9))
        outbox.done(3...3)
        #expect(outbox.unsent == UnsentRecords(count: 3, fromFirst: 5))
    }

    @Test("over a new connection all is sent again that may be lost, also what was confirmed last")
    func rewind() {
        let outbox = Outbox(limit: 1_000, remembers: true)
        let publisher = Publisher()
        _ = outbox.append(bodies(1...4))
        publisher.send(from: outbox)
        outbox.done(1...2)
        outbox.rewind()
        // Numbers of the lost connection say nothing any more.
        outbox.done(3...3)
        publisher.sent = []
        publisher.send(from: outbox)
        #expect(publisher.sent == [[1], [2], [3], [4]])
        #expect(outbox.openRecords == 2)
        outbox.done(3...4)
        #expect(outbox.openRecords == 2)
        outbox.done(5...8)
        #expect(outbox.openRecords == 0)
    }

    @Test("what was confirmed long before the connection was lost is not sent again")
    func oldConfirms() {
        let outbox = Outbox(limit: 1_000, remembers: true)
        let publisher = Publisher()
        _ = outbox.append(bodies(1...3))
        publisher.send(from: outbox)
        outbox.done(1...3)
        publisher.sent = []
        outbox.rewind(at: .now + .seconds(4))
        publisher.send(from: outbox)
        #expect(publisher.sent == [[1], [2], [3]])
        publisher.sent = []
        outbox.rewind(at: .now + .seconds(60))
        publisher.send(from: outbox)
        #expect(publisher.sent == [])

        // Of what comes then the numbers are right.
        _ = outbox.append(bodies(4...6))
        publisher.send(from: outbox)
        outbox.done(publisher.next - 3...publisher.next - 2)
        #expect(outbox.openRecords == 1)
        // The last was sent a moment after the others were confirmed, however late it was noticed that nobody listened.
        publisher.sent = []
        outbox.rewind(at: .now + .seconds(60))
        publisher.send(from: outbox)
        #expect(publisher.sent == [[4], [5], [6]])
    }

    @Test("what was confirmed is remembered up to its bytes, and not at all where nothing confirms")
    func memory() {
        let publisher = Publisher()
        let small = Outbox(limit: 10, remembers: true)
        for number in UInt8(0)..<30 {
            #expect(small.append(bodies(number...number)))
            publisher.send(from: small)
            #expect(small.done(UInt64(number) + 1...UInt64(number) + 1) == 1)
            #expect(small.done(UInt64(number) + 1...UInt64(number) + 1) == 0)
        }
        publisher.sent = []
        small.rewind()
        publisher.send(from: small)
        #expect(publisher.sent == (20..<30).map { [$0] })

        let many = Outbox(limit: 3_000, remembers: true)
        let other = Publisher()
        for number in UInt64(1)...10_000 {
            #expect(many.append([Outbox.Body(bytes: [UInt8(number % 256)])]))
            other.send(from: many)
            many.done(number...number)
        }
        other.sent = []
        many.rewind()
        other.send(from: many)
        #expect(other.sent == (7_001...10_000).map { [UInt8($0 % 256)] })

        let forgetful = Outbox(limit: 10, remembers: false)
        #expect(forgetful.append(bodies(1...3)))
        #expect(forgetful.takeAll() == [[1], [2], [3]])
        forgetful.rewind()
        #expect(forgetful.takeAll().isEmpty)
        #expect(forgetful.waitUntilDone() == UnsentRecords())
    }

    @Test("who brings more waits for a confirm, and goes on when there will be none")
    func backPressure() async {
        let outbox = Outbox(limit: 10, remembers: true)
        #expect(outbox.append([Outbox.Body(bytes: Array(repeating: 0, count: 11), weight: 7)]))
        let publisher = Publisher()
        publisher.send(from: outbox)
        let waiting = Task.detached { outbox.append([Outbox.Body(bytes: [1])]) }
        outbox.done(1...1)
        #expect(await waiting.value)
        _ = outbox.append([Outbox.Body(bytes: Array(repeating: 0, count: 11), weight: 7)])
        let other = Task.detached { outbox.append([Outbox.Body(bytes: [2])]) }
        outbox.abandon()
        #expect(await !other.value)
        #expect(outbox.waitUntilDone().count == 8)
    }
}
