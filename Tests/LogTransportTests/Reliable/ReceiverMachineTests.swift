import TestServers
import Testing

@testable import LogTransport

@Suite struct ReceiverMachineTests {
    private static let start = ContinuousClock.now
    private let now = Self.start
    private let peer = PeerAddress(socket: 0)
    private let sender = SenderID()

    private func header(_ sequence: UInt64, first: UInt64 = 1) -> WireMessage.BatchHeader {
        WireMessage.BatchHeader(sequence: sequence, sender: sender, first: first, skip: 0, isRedelivered: false)
    }

    /// The session that a HELLO among these actions begins.
    private func session(_ actions: [ReceiverMachine.Action]) throws -> WireMessage.Session {
        let numbers = actions.compactMap { action -> WireMessage.Session? in
            if case .send(.hello(let session, _), _) = action { session } else { nil }
        }
        return try #require(numbers.first)
    }

    private func established(
        _ limits: ReceiverMachine.Limits = ReceiverMachine.Limits()
    ) throws -> (ReceiverMachine, ReceiverMachine.SessionKey) {
        var machine = ReceiverMachine(dialed: [peer], limits: limits, generator: SplitMix64(state: 1))
        let number = try session(machine.connected(peer, now: now))
        #expect(machine.received(.ping(number), from: peer, now: now) == [])
        return (machine, ReceiverMachine.SessionKey(peer: peer, number: number))
    }

    @Test("HELLO is said again, with the same number, until the sender speaks") func hello() throws {
        var machine = ReceiverMachine(dialed: [peer])
        let number = try session(machine.connected(peer, now: now))
        #expect(machine.tick(now: now + .milliseconds(900)) == [])
        #expect(try session(machine.tick(now: now + .seconds(1))) == number)
        _ = machine.received(.ping(number), from: peer, now: now + .seconds(1))
        guard case .send(.acknowledgement(number, _, _), to: peer) = machine.tick(now: now + .seconds(2)).first else {
            Issue.record("no heartbeat")
            return
        }
    }

    @Test("what was processed is acknowledged, and not before") func acknowledgement() throws {
        var (machine, key) = try established()
        let actions = machine.received(.batch(key.number, header(1)), batch: (1000, 10), from: peer, now: now)
        #expect(actions == [.deliver(key, header(1))])
        #expect(machine.acknowledgements(now: now) == [])
        machine.processed(WireMessage.Progress(sequence: 0, lines: 4), in: key)
        let window = WireMessage.Window(bytes: 2 << 20, lines: 1 << 20)
        #expect(
            machine.acknowledgements(now: now) == [
                .send(.acknowledgement(key.number, WireMessage.Progress(sequence: 0, lines: 4), window), to: peer)
            ])
        #expect(machine.acknowledgements(now: now) == [])
        // Nothing beyond what came can be said to be processed.
        machine.processed(WireMessage.Progress(sequence: 2, lines: 0), in: key)
        #expect(machine.acknowledgements(now: now) == [])
    }

    @Test("a gap begins a new session, in which what was not processed comes again") func gap() throws {
        var (machine, key) = try established()
        _ = machine.received(.batch(key.number, header(1)), batch: (1000, 10), from: peer, now: now)
        let actions = machine.received(.batch(key.number, header(3)), batch: (1000, 10), from: peer, now: now)
        #expect(actions.first == .discard(key))
        #expect(try session(actions) != key.number)
        // What is still on its way in the old one is passed over.
        #expect(machine.received(.batch(key.number, header(4)), batch: (1, 1), from: peer, now: now) == [])
    }

    @Test("a sender that sends more than the window takes loses its session") func greedySender() throws {
        var limits = ReceiverMachine.Limits()
        limits.windowBytes = 1500
        var (machine, key) = try established(limits)
        _ = machine.received(.batch(key.number, header(1)), batch: (9000, 10), from: peer, now: now)
        machine.processed(WireMessage.Progress(sequence: 1, lines: 0), in: key)
        _ = machine.received(.batch(key.number, header(2)), batch: (1000, 10), from: peer, now: now)
        let actions = machine.received(.batch(key.number, header(3)), batch: (1000, 10), from: peer, now: now)
        #expect(actions.first == .discard(key))
        #expect(machine.garbage == 1)
    }

    @Test("when the sender is gone its lines are kept, and when it wants a new session they are dropped")
    func kept() throws {
        var (machine, key) = try established()
        _ = machine.received(.batch(key.number, header(1)), batch: (1000, 10), from: peer, now: now)
        var another = machine
        #expect(machine.tick(now: now + .seconds(6)).first == .keep(key))
        #expect(another.disconnected(peer) == [.keep(key)])
        (machine, key) = try established()
        #expect(machine.received(.offer(key.number), from: peer, now: now).first == .discard(key))
    }

    @Test("offers of a session that is over change nothing") func oldOffer() throws {
        var (machine, key) = try established()
        #expect(machine.received(.offer(key.number &+ 1), from: peer, now: now) == [])
    }

    @Test("a bound receiver begins a session when a sender is heard, with so many senders only") func bound() throws {
        var limits = ReceiverMachine.Limits()
        limits.senders = 1
        var machine = ReceiverMachine(limits: limits)
        let number = try session(machine.received(.offer(0), from: peer, now: now))
        // The answer is still on its way.
        #expect(try session(machine.received(.offer(0), from: peer, now: now)) == number)
        #expect(machine.received(.offer(0), from: PeerAddress(socket: 0, routingID: [9]), now: now) == [])
        #expect(machine.tick(now: now + .seconds(6)) == [.keep(ReceiverMachine.SessionKey(peer: peer, number: number))])
        #expect(machine.nextDeadline == nil)
    }

    @Test("while too much waits a session begins without a window, and gets it when there is room again")
    func full() throws {
        let none = WireMessage.Window(bytes: 0, lines: 0)
        var machine = ReceiverMachine()
        machine.isFull = true
        let hello = machine.received(.offer(0), from: peer, now: now)
        let number = try session(hello)
        #expect(hello == [.send(.hello(number, none), to: peer)])
        _ = machine.received(.ping(number), from: peer, now: now)
        #expect(machine.acknowledgements(now: now) == [])
        machine.isFull = false
        let window = WireMessage.Window(bytes: 2 << 20, lines: 1 << 20)
        let start = WireMessage.Progress(sequence: 0, lines: 0)
        #expect(
            machine.acknowledgements(now: now) == [.send(.acknowledgement(number, start, window), to: peer)])
        // A window that was given is not taken away; only what is larger than that has to wait.
        machine.isFull = true
        let key = ReceiverMachine.SessionKey(peer: peer, number: number)
        #expect(
            machine.received(.batch(number, header(1)), batch: (1 << 20, 1), from: peer, now: now) == [
                .deliver(key, header(1))
            ])
        machine.processed(WireMessage.Progress(sequence: 1, lines: 0), in: key)
        let actions = machine.received(.batch(number, header(2)), batch: (3 << 20, 1), from: peer, now: now)
        #expect(actions.first == .discard(key))
        // One that sends without a window is not listened to.
        let next = try session(actions)
        #expect(
            machine.received(.batch(next, header(1)), batch: (1, 1), from: peer, now: now).first
                == .discard(ReceiverMachine.SessionKey(peer: peer, number: next)))
    }

    @Test("at the end it says how far it has come, and BYE") func finish() throws {
        var (machine, key) = try established()
        _ = machine.received(.batch(key.number, header(1)), batch: (1000, 10), from: peer, now: now)
        machine.processed(WireMessage.Progress(sequence: 1, lines: 0), in: key)
        let actions = machine.finish(now: now)
        #expect(actions.count == 2)
        #expect(actions.last == .send(.bye(key.number), to: peer))
    }
}
