import Testing

@testable import Gearman

@Suite struct ConnectionBookTests {
    private let error = GearmanError(.notConnected, "away")
    private let start = ContinuousClock.now

    private func makeBook(connections: Int = 2, maximum: Int = 4) -> ConnectionBook {
        var options = WorkerOptions()
        options.connections = connections
        options.maximumConnections = maximum
        var book = ConnectionBook(options: options, now: start)
        #expect(book.start() == Array(0..<connections))
        return book
    }

    @Test("while the job server is away one connection at a time makes attempts, with pauses")
    func down() throws {
        var book = makeBook()
        #expect(book.permission(for: 0, now: start) == .attempt)
        #expect(book.permission(for: 1, now: start) == .wait(until: nil))
        let failed = book.attemptFailed(0, error, now: start)
        let pause = try #require(failed)
        #expect(pause >= .milliseconds(500) && pause <= .seconds(1))
        #expect(book.permission(for: 1, now: start) == .wait(until: start + pause))
        #expect(book.permission(for: 1, now: start + pause) == .attempt)
        #expect(book.permission(for: 0, now: start + pause) == .wait(until: nil))
        book.opened(1)
        #expect(book.permission(for: 0, now: start + pause) == .attempt)
        #expect(book.lastError?.message == "away")
    }

    @Test("a connection is registered when it first waits for a job or has one, and the state keeps its time")
    func registration() {
        var book = makeBook()
        let later = start + .seconds(5)
        _ = book.permission(for: 0, now: start)
        book.opened(0)
        #expect(book.registered == 0)
        #expect(book.since == start)
        #expect(book.becameIdle(0, now: later) == true)
        #expect(book.becameIdle(0, now: later + .seconds(1)) == false)
        #expect(book.since == later)
        #expect(book.registered == 1)
        #expect(book.lost(0, error, lived: .seconds(9), now: later + .seconds(9)).wasLast == true)
        #expect(book.since == later + .seconds(9))
    }

    @Test("when the last connection without a job takes one, a spare one is started, up to the maximum")
    func spare() {
        var book = makeBook(connections: 2, maximum: 4)
        for number in 0..<2 {
            _ = book.permission(for: number, now: start)
            book.opened(number)
            _ = book.becameIdle(number, now: start)
        }
        #expect(book.becameBusy(0, now: start).spare == nil)
        #expect(book.becameBusy(1, now: start).spare == 2)
        // While the spare one is on its way, no other is started.
        _ = book.becameIdle(1, now: start)
        #expect(book.becameBusy(1, now: start).spare == nil)
        book.opened(2)
        #expect(book.becameBusy(2, now: start).spare == 3)
        book.opened(3)
        #expect(book.becameBusy(3, now: start).spare == nil)
        #expect(book.busy == 4)
    }

    @Test("a spare connection ends when idle, but not as the last one without a job, and its number is not used again")
    func surplus() {
        var book = makeBook(connections: 1, maximum: 4)
        _ = book.permission(for: 0, now: start)
        book.opened(0)
        #expect(book.becameBusy(0, now: start).spare == 1)
        book.opened(1)
        _ = book.becameIdle(1, now: start)
        #expect(book.endIfSurplus(1) == false)
        _ = book.becameIdle(0, now: start)
        #expect(book.endIfSurplus(0) == false)
        #expect(book.endIfSurplus(1) == true)
        book.ended(1, now: start)
        #expect(book.becameBusy(0, now: start).spare == 2)
    }

    @Test("a spare connection that fails goes on only when all others have a job")
    func spareFails() {
        var book = makeBook(connections: 1, maximum: 4)
        _ = book.permission(for: 0, now: start)
        book.opened(0)
        _ = book.becameBusy(0, now: start)
        _ = book.attemptFailed(1, error, now: start)
        #expect(book.permission(for: 1, now: start + .seconds(2)) == .attempt)
        _ = book.attemptFailed(1, error, now: start)
        _ = book.becameIdle(0, now: start)
        #expect(book.permission(for: 1, now: start + .seconds(9)) == .stop)
    }

    @Test("after a connection that lived the next attempt is at once, after one that did not there is a pause")
    func loss() {
        var book = makeBook()
        for number in 0..<2 {
            _ = book.permission(for: number, now: start)
            book.opened(number)
            _ = book.becameIdle(number, now: start)
        }
        #expect(book.lost(0, error, lived: .seconds(100), now: start) == (.zero, false))
        #expect(book.lost(1, error, lived: .seconds(100), now: start) == (.zero, true))
        #expect(book.permission(for: 1, now: start) == .attempt)
        #expect(book.permission(for: 0, now: start) == .wait(until: nil))
        book.opened(1)
        #expect(book.lost(1, error, lived: .milliseconds(10), now: start).pause >= .milliseconds(500))
    }

    @Test("after a stop nothing is begun")
    func stop() {
        var book = makeBook()
        book.stop()
        #expect(book.permission(for: 0, now: start) == .stop)
        #expect(book.becameBusy(0, now: start).spare == nil)
        var other = ConnectionBook(options: WorkerOptions(), now: start)
        other.stop()
        #expect(other.start() == [])
    }

    @Test("pauses double up to the longest, chance takes up to a half, and a reset begins again")
    func backoff() {
        var backoff = Backoff(maximum: .seconds(5))
        #expect((0..<5).map { _ in backoff.next(chance: 0) } == [1, 2, 4, 5, 5].map { Duration.seconds($0) })
        #expect(backoff.next(chance: 1) == .milliseconds(2500))
        backoff.reset()
        #expect(backoff.next(chance: 0) == .seconds(1))
        var short = Backoff(maximum: .milliseconds(100))
        #expect(short.next(chance: 0) == .milliseconds(100))
    }
}
