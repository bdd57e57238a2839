import Testing

@testable import LogTransport

@Suite struct SenderMachineTests {
    private static let start = ContinuousClock.now
    private static let wide = WireMessage.Window(bytes: 1 << 20, lines: 1 << 20)
    private let sender = SenderID()
    private let one = PeerAddress(socket: 0, routingID: [1])
    private let two = PeerAddress(socket: 0, routingID: [2])
    private let now = Self.start

    private func machine(
        _ limits: SenderMachine.Limits = SenderMachine.Limits(), dialed: [PeerAddress] = []
    ) -> SenderMachine {
        SenderMachine(sender: sender, dialed: dialed, limits: limits, now: now)
    }

    private func progress(_ sequence: UInt64, _ lines: UInt32 = 0) -> WireMessage.Progress {
        WireMessage.Progress(sequence: sequence, lines: lines)
    }

    private func batch(
        _ session: WireMessage.Session, sequence: UInt64, first: UInt64, skip: UInt32 = 0, again: Bool = false,
        to peer: PeerAddress
    ) -> SenderMachine.Action {
        let header = WireMessage.BatchHeader(
            sequence: sequence, sender: sender, first: first, skip: skip, isRedelivered: again)
        return .sendBatch(.batch(session, header), first: first, to: peer)
    }

    @Test("HELLO is answered with PING and what waits") func hello() {
        var machine = machine()
        #expect(machine.append(first: 1, lines: 10, bytes: 100, now: now) == [])
        #expect(
            machine.received(.hello(7, Self.wide), from: one, now: now) == [
                .note(one, .joined), .send(.ping(7), to: one), batch(7, sequence: 1, first: 1, to: one),
            ])
        #expect(machine.received(.hello(7, Self.wide), from: one, now: now) == [.send(.ping(7), to: one)])
    }

    @Test("no more is sent than the receiver's window takes, in bytes and in lines, but one batch always") func credit()
    {
        for window in [WireMessage.Window(bytes: 250, lines: 1000), WireMessage.Window(bytes: 1000, lines: 25)] {
            var machine = machine()
            _ = machine.received(.hello(7, window), from: one, now: now)
            #expect(machine.append(first: 1, lines: 10, bytes: 100, now: now).count == 1)
            #expect(machine.append(first: 11, lines: 10, bytes: 100, now: now).count == 1)
            #expect(machine.append(first: 21, lines: 10, bytes: 100, now: now) == [])
            // Part of a batch makes no room; a whole one does.
            #expect(machine.received(.acknowledgement(7, progress(0, 9), window), from: one, now: now) == [])
            #expect(
                machine.received(.acknowledgement(7, progress(1), window), from: one, now: now) == [
                    .release(1), batch(7, sequence: 3, first: 21, to: one),
                ])
        }
        var large = machine()
        _ = large.received(.hello(7, WireMessage.Window(bytes: 1, lines: 1)), from: one, now: now)
        #expect(large.append(first: 1, lines: 10, bytes: 100, now: now).count == 1)
        #expect(large.append(first: 11, lines: 10, bytes: 100, now: now) == [])
        var closed = machine()
        _ = closed.received(.hello(7, WireMessage.Window(bytes: 0, lines: 1)), from: one, now: now)
        #expect(closed.append(first: 1, lines: 10, bytes: 100, now: now) == [])
        #expect(
            closed.received(.acknowledgement(7, progress(0), Self.wide), from: one, now: now) == [
                batch(7, sequence: 1, first: 1, to: one)
            ])
    }

    @Test("what was acknowledged of a batch is not sent again with the rest") func skip() {
        var machine = machine()
        _ = machine.received(.hello(7, Self.wide), from: one, now: now)
        _ = machine.append(first: 1, lines: 10, bytes: 100, now: now)
        _ = machine.received(.acknowledgement(7, progress(0, 4), Self.wide), from: one, now: now)
        #expect(machine.acknowledged == 4)
        _ = machine.received(.bye(7), from: one, now: now)
        #expect(machine.unacknowledged == 6)
        #expect(
            machine.received(.hello(8, Self.wide), from: two, now: now).contains(
                batch(8, sequence: 1, first: 1, skip: 4, again: true, to: two)))
        #expect(machine.counts.redelivered == 6)
        #expect(machine.counts.receiversLost == 1)
    }

    @Test("acknowledgements of what was not sent change nothing and are counted") func wrongAcknowledgements() {
        var machine = machine()
        _ = machine.received(.hello(7, Self.wide), from: one, now: now)
        _ = machine.append(first: 1, lines: 10, bytes: 100, now: now)
        _ = machine.append(first: 11, lines: 10, bytes: 100, now: now)
        for wrong in [progress(3), progress(.max, .max), progress(0, 11), progress(2, 1)] {
            #expect(machine.received(.acknowledgement(7, wrong, Self.wide), from: one, now: now) == [])
        }
        #expect(machine.acknowledged == 0)
        #expect(machine.counts.garbage == 4)
        // Not even by what would be right in another session.
        #expect(
            machine.received(.acknowledgement(6, progress(1), Self.wide), from: one, now: now) == [
                .send(.offer(6), to: one)
            ])
        #expect(machine.acknowledged == 0)
        #expect(machine.received(.acknowledgement(7, progress(2), Self.wide), from: one, now: now).count == 2)
        #expect(machine.acknowledged == 20)
    }

    @Test("a receiver that is silent loses its lines to another after five seconds, one that speaks does not")
    func silence() {
        var machine = machine()
        _ = machine.received(.hello(7, Self.wide), from: one, now: now)
        _ = machine.append(first: 1, lines: 10, bytes: 100, now: now)
        _ = machine.received(.hello(8, Self.wide), from: two, now: now)
        _ = machine.append(first: 11, lines: 10, bytes: 100, now: now)
        let later = now + .seconds(4.9)
        #expect(Set(machine.tick(now: later).map(\.description)) == ["ping 7", "ping 8"])
        _ = machine.received(.acknowledgement(8, progress(0), Self.wide), from: two, now: later)
        #expect(
            machine.tick(now: now + .seconds(5.5)) == [
                .note(one, .silent), batch(8, sequence: 2, first: 1, again: true, to: two),
            ])
        #expect(machine.counts.receiversLost == 1)
    }

    @Test("when a connection has ended, those that have lines are asked in a moment, and the dead one's go to another")
    func endedConnection() {
        var machine = machine()
        machine.connectionEnded(now: now)
        #expect(machine.nextDeadline == nil)
        _ = machine.received(.hello(7, Self.wide), from: one, now: now)
        _ = machine.append(first: 1, lines: 10, bytes: 100, now: now)
        _ = machine.received(.hello(8, Self.wide), from: two, now: now)
        machine.connectionEnded(now: now - .milliseconds(1))
        machine.connectionEnded(now: now)
        let moment = now + .milliseconds(20)
        // The end of another connection does not put it off, and is looked at by itself.
        #expect(machine.nextDeadline == moment - .milliseconds(1))
        #expect(machine.tick(now: moment - .milliseconds(2)) == [])
        #expect(machine.tick(now: moment - .milliseconds(1)) == [.send(.ping(7), to: one)])
        #expect(machine.nextDeadline == moment + .milliseconds(19))
        #expect(machine.tick(now: moment + .milliseconds(19)) == [.send(.ping(7), to: one)])
        #expect(machine.nextDeadline == moment + .milliseconds(519))
        #expect(
            machine.sendFailed(to: one, now: moment) == [
                .note(one, .unreachable), batch(8, sequence: 1, first: 1, again: true, to: two),
            ])
    }

    @Test("a receiver that keeps lines for a minute loses them, and gets no repeats while there is another")
    func stall() {
        var machine = machine()
        _ = machine.received(.hello(7, Self.wide), from: one, now: now)
        _ = machine.append(first: 1, lines: 10, bytes: 100, now: now)
        var actions: [SenderMachine.Action] = []
        for second in 1...61 {
            let time = now + .seconds(second)
            _ = machine.received(.acknowledgement(7, progress(0), Self.wide), from: one, now: time)
            actions += machine.tick(now: time)
        }
        #expect(actions.contains(.note(one, .stalled)))
        #expect(actions.contains(.send(.offer(7), to: one)))
        let end = now + .seconds(61)
        #expect(
            machine.received(.hello(8, Self.wide), from: two, now: end).contains(
                batch(8, sequence: 1, first: 1, again: true, to: two)))
        #expect(
            machine.received(.hello(9, Self.wide), from: one, now: end) == [
                .note(one, .joined), .send(.ping(9), to: one),
            ])
        // It may show with one new batch that it works again.
        #expect(
            machine.append(first: 11, lines: 10, bytes: 100, now: end) == [batch(9, sequence: 1, first: 11, to: one)])
        #expect(
            machine.append(first: 21, lines: 10, bytes: 100, now: end) == [batch(8, sequence: 2, first: 21, to: two)])
        _ = machine.received(.acknowledgement(9, progress(1), Self.wide), from: one, now: end)
        #expect(
            machine.append(first: 31, lines: 10, bytes: 100, now: end) == [batch(9, sequence: 2, first: 31, to: one)])
    }

    @Test("receivers that this side has connected to are told that it is there until they say HELLO") func offers() {
        var machine = machine(dialed: [PeerAddress(socket: 3)])
        let offer = SenderMachine.Action.send(.offer(0), to: PeerAddress(socket: 3))
        #expect(machine.tick(now: now) == [offer])
        #expect(machine.tick(now: now + .milliseconds(600)) == [])
        #expect(machine.tick(now: now + .milliseconds(1200)) == [offer])
        _ = machine.received(.hello(1, Self.wide), from: PeerAddress(socket: 3), now: now + .seconds(2))
        #expect(machine.tick(now: now + .seconds(3)) == [.send(.ping(1), to: PeerAddress(socket: 3))])
    }

    @Test("only so many receivers are served") func manyReceivers() {
        var limits = SenderMachine.Limits()
        limits.receivers = 1
        var machine = machine(limits)
        _ = machine.received(.hello(7, Self.wide), from: one, now: now)
        #expect(machine.received(.hello(8, Self.wide), from: two, now: now) == [.note(two, .refused)])
        #expect(machine.receivers == 1)
    }

    @Test("the window is bounded in bytes and batches, and takes any batch when it is empty") func window() {
        var limits = SenderMachine.Limits()
        (limits.windowBytes, limits.windowBatches) = (1000, 3)
        var machine = machine(limits)
        #expect(machine.hasRoom(for: 5000))
        _ = machine.append(first: 1, lines: 1, bytes: 600, now: now)
        #expect(!machine.hasRoom(for: 401))
        #expect(machine.hasRoom(for: 400))
        _ = machine.append(first: 2, lines: 1, bytes: 1, now: now)
        _ = machine.append(first: 3, lines: 1, bytes: 1, now: now)
        #expect(!machine.hasRoom(for: 1))
    }
}

extension SenderMachine.Action {
    fileprivate var description: String {
        if case .send(.ping(let session), _) = self { return "ping \(session)" }
        return "\(self)"
    }
}
