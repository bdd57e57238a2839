import TestServers

@testable import LogTransport

/// A sender and receivers without sockets and without clocks: a seeded generator decides what is lost, comes late, dies
/// and pauses.
struct SimulatedDelivery {
    enum Roles: CaseIterable { case senderIsBound, senderConnects }

    /// A receiver process, and its connection.
    struct Receiver {
        var machine: ReceiverMachine
        /// Batches that its consumer has not processed, with the lines that it has.
        var queue: [(key: ReceiverMachine.SessionKey, header: WireMessage.BatchHeader, lines: UInt32, done: UInt32)] =
            []
        var connection: UInt8 = 0
        var isRunning = true
        var isPaused = false
        /// The highest line of a batch that is not a repeat, in this session.
        var highest: [ReceiverMachine.SessionKey: UInt64] = [:]
        var toReceiver: [(message: WireMessage, first: UInt64)] = []
        var toSender: [WireMessage] = []
    }

    let roles: Roles
    let total: UInt64
    let times = ReliableTimes()
    var random: SplitMix64
    var now = ContinuousClock.now
    var sender: SenderMachine
    let senderID = SenderID()
    var batches: [UInt64: UInt32] = [:]
    var next: UInt64 = 1
    var receivers: [Receiver] = []
    var processed: Set<UInt64> = []
    var faults: [String] = []
    /// Whether things go wrong still.
    var isUnkind = true

    init(roles: Roles, receivers count: Int, total: UInt64, random: SplitMix64) {
        self.roles = roles
        self.total = total
        self.random = random
        var limits = SenderMachine.Limits()
        limits.windowBytes = 40_000
        limits.shareBytes = 20_000
        let dialed = roles == .senderConnects ? (0..<count).map { PeerAddress(socket: $0) } : []
        sender = SenderMachine(sender: senderID, dialed: dialed, limits: limits, now: now)
        for index in 0..<count {
            receivers.append(Receiver(machine: ReceiverMachine()))
            start(index)
        }
    }

    var isDone: Bool { sender.acknowledged == total }

    mutating func start(_ index: Int) {
        var limits = ReceiverMachine.Limits()
        limits.windowBytes = 15_000
        receivers[index].machine = ReceiverMachine(
            dialed: roles == .senderIsBound ? [PeerAddress(socket: 0)] : [], limits: limits,
            generator: SplitMix64(state: random.next()))
        receivers[index].isRunning = true
        if roles == .senderIsBound {
            perform(receivers[index].machine.connected(PeerAddress(socket: 0), now: now), at: index)
        }
    }

    /// One step of time, in which everybody may do something.
    mutating func step() {
        now += .milliseconds(Int.random(in: 1...300, using: &random))
        if isUnkind { disturb() }
        offer()
        for index in receivers.indices { deliver(at: index) }
        for index in receivers.indices where receivers[index].isRunning && !receivers[index].isPaused {
            consume(at: index)
            perform(receivers[index].machine.acknowledgements(now: now), at: index)
            perform(receivers[index].machine.tick(now: now), at: index)
        }
        perform(sender.tick(now: now))
    }

    private func chance(_ percent: Int, _ random: inout SplitMix64) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    private mutating func disturb() {
        for index in receivers.indices {
            if chance(2, &random) { breakConnection(index) }
            if chance(3, &random) { receivers[index].isPaused.toggle() }
            if receivers[index].isRunning, chance(1, &random) {
                receivers[index].isRunning = false
                receivers[index].queue = []
                breakConnection(index)
            } else if !receivers[index].isRunning, chance(20, &random) {
                start(index)
            }
            if chance(2, &random), !receivers[index].toReceiver.isEmpty { receivers[index].toReceiver.removeFirst() }
            if chance(2, &random), !receivers[index].toSender.isEmpty { receivers[index].toSender.removeFirst() }
            if chance(2, &random) { receivers[index].toReceiver.shuffle(using: &random) }
            if chance(2, &random) { receivers[index].toSender.shuffle(using: &random) }
            if chance(2, &random), let message = receivers[index].toSender.randomElement(using: &random) {
                receivers[index].toSender.append(message)
            }
        }
    }

    private mutating func breakConnection(_ index: Int) {
        receivers[index].connection &+= 1
        receivers[index].toReceiver = []
        receivers[index].toSender = []
    }

    /// Appends batches while there is room.
    private mutating func offer() {
        while next <= total {
            let lines = UInt32(min(UInt64.random(in: 1...50, using: &random), total - next + 1))
            let bytes = Int(lines) * 130
            guard sender.hasRoom(for: bytes) else { return }
            batches[next] = lines
            perform(sender.append(first: next, lines: lines, bytes: bytes, now: now))
            next += UInt64(lines)
        }
    }

    private func address(of index: Int) -> PeerAddress {
        switch roles {
        case .senderIsBound: PeerAddress(socket: 0, routingID: [UInt8(index), receivers[index].connection])
        case .senderConnects: PeerAddress(socket: index)
        }
    }

    private func senderAddress(at index: Int) -> PeerAddress {
        switch roles {
        case .senderIsBound: PeerAddress(socket: 0)
        case .senderConnects: PeerAddress(socket: 0, routingID: [receivers[index].connection])
        }
    }

    private mutating func perform(_ actions: [SenderMachine.Action]) {
        var actions = actions[...]
        while let action = actions.popFirst() {
            switch action {
            case .send(let message, let peer): actions += send(message, first: 0, to: peer)
            case .sendBatch(let message, let first, let peer): actions += send(message, first: first, to: peer)
            case .release(let first):
                let lines = UInt64(batches[first] ?? 0)
                if !(first..<first + lines).allSatisfy(processed.contains) {
                    faults.append("\(first) was not processed")
                }
            case .note: break
            }
        }
    }

    private mutating func send(_ message: WireMessage, first: UInt64, to peer: PeerAddress) -> [SenderMachine.Action] {
        guard let index = receivers.indices.first(where: { address(of: $0) == peer && receivers[$0].isRunning }) else {
            return sender.sendFailed(to: peer, now: now)
        }
        receivers[index].toReceiver.append((message, first))
        return []
    }

    private mutating func perform(_ actions: [ReceiverMachine.Action], at index: Int) {
        for action in actions {
            switch action {
            case .send(let message, let peer):
                // What is meant for a connection that is gone is lost.
                if peer == senderAddress(at: index) { receivers[index].toSender.append(message) }
            case .deliver(let key, let header):
                take(header, of: key, at: index)
            case .keep: break
            case .discard(let key):
                receivers[index].queue.removeAll { $0.key == key }
            }
        }
    }

    private mutating func take(
        _ header: WireMessage.BatchHeader, of key: ReceiverMachine.SessionKey, at index: Int
    ) {
        let lines = batches[header.first] ?? 0
        if header.sender != senderID { faults.append("\(header.first) is of another sender") }
        if !header.isRedelivered {
            if header.first <= receivers[index].highest[key] ?? 0 { faults.append("\(header.first) is out of order") }
            receivers[index].highest[key] = header.first
        }
        receivers[index].queue.append((key, header, lines, header.skip))
        let held = receivers[index].queue.filter { $0.key == key }.reduce(0) { $0 + Int($1.lines) * 130 }
        if held > 15_000 { faults.append("\(held) bytes are held") }
    }

    private mutating func deliver(at index: Int) {
        let toSender = receivers[index].toSender
        receivers[index].toSender = []
        for message in toSender { perform(sender.received(message, from: address(of: index), now: now)) }
        guard receivers[index].isRunning, !receivers[index].isPaused else { return }
        let toReceiver = receivers[index].toReceiver
        receivers[index].toReceiver = []
        for (message, first) in toReceiver {
            let batch = batches[first].map { (bytes: Int($0) * 130, lines: Int($0)) }
            let actions = receivers[index].machine.received(
                message, batch: batch, from: senderAddress(at: index), now: now)
            perform(actions, at: index)
        }
    }

    /// Processes some of what waits.
    private mutating func consume(at index: Int) {
        var lines = Int.random(in: 0...120, using: &random)
        while lines > 0, var item = receivers[index].queue.first {
            let taken = min(UInt32(lines), item.lines - item.done)
            for number in item.done..<item.done + taken { processed.insert(item.header.first + UInt64(number)) }
            item.done += taken
            lines -= Int(taken)
            let isWhole = item.done == item.lines
            receivers[index].queue[0] = item
            if isWhole { receivers[index].queue.removeFirst() }
            receivers[index].machine.processed(
                WireMessage.Progress(
                    sequence: isWhole ? item.header.sequence : item.header.sequence - 1, lines: isWhole ? 0 : item.done),
                in: item.key)
        }
    }
}
