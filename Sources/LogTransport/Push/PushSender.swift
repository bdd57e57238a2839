import Spool
import ZeroMQ

/// Copies lines to blocks, packs them where that is asked for, and sends them over a socket without waiting.
struct PushSender: ~Copyable {
    private enum Shortage {
        /// No peer has room, or there is none.
        case peer
        /// The lines that wait for peers take all the memory that they may; this message needs some more.
        case memory(Int)
    }

    private let sendsEmptyTopic: Bool
    private let form: LineForm
    private let signal: SendSignal
    private var context: Context?
    private var socket: Socket?
    private var message = Message()
    private var ledger: SendLedger
    private var open: OpenBlock?
    private let packs: Bool
    private var batch: BatchBuilder
    private var shortage = Shortage.peer
    /// The note that is to be sent before anything else, and how many lines are missing by it.
    private var note: (bytes: [UInt8], count: UInt64)?
    /// Whether nothing is sent for now: libzmq is not to queue lines for a peer of which it is not known that it takes them.
    var isHeld: Bool
    /// The number of the last line that was lost.
    private var lastWrittenOff: UInt64 = 0
    /// The number of the last line that was taken; 0 before the first.
    private(set) var lastOffered: UInt64 = 0
    /// The number up to which every line was let go of by libzmq, as ``reclaim()`` saw it last.
    private(set) var acknowledged: UInt64 = 0

    init(
        _ socket: consuming Socket, _ context: Context, options: PushOptions, form: LineForm, signal: SendSignal
    ) {
        self.socket = consume socket
        self.context = context
        self.form = form
        self.signal = signal
        sendsEmptyTopic = options.sendsEmptyTopic
        ledger = SendLedger(limit: options.waitingBytes)
        packs = options.batchLines > 1
        isHeld = options.hasOnePeer
        batch = BatchBuilder(maximumLines: options.batchLines)
    }

    /// Sends a line or packs it; false when there is no room.
    @inline(__always)
    mutating func offer(_ line: UnsafeRawBufferPointer, number: UInt64) throws(LogTransportError) -> Bool {
        if packs {
            if !batch.add(line) {
                guard try sendBatch() else { return false }
                _ = batch.add(line)
            }
        } else if BatchFraming.isBatch(line) {
            // Only a batch tells what begins like one from one.
            return try offerLong(line.count, number: number, inBatch: true) {
                UnsafeMutableRawBufferPointer(start: $0, count: line.count).copyMemory(from: line)
            }
        } else {
            guard try push(line, lastNumber: number) else { return false }
        }
        lastOffered = number
        return true
    }

    /// Has the object for a long line written to where it is sent from, in a message of its own; false when there is no
    /// room.
    mutating func offer(
        _ line: UnsafeRawBufferPointer, in envelope: inout JSONEnvelope, number: UInt64
    ) throws(LogTransportError) -> Bool {
        try offerLong(envelope.size(of: line), number: number) { envelope.write(line, to: $0) }
    }

    /// Has a long record read to where it is sent from, in a message of its own; false when there is no room.
    mutating func offer(_ record: SpoolLongRecord, number: UInt64) throws(LogTransportError) -> Bool {
        try offerLong(record.count, number: number) { target throws(LogTransportError) in try record.read(to: target) }
    }

    private mutating func offerLong(
        _ size: Int, number: UInt64, inBatch: Bool = false,
        _ write: (UnsafeMutableRawPointer) throws(LogTransportError) -> Void
    ) throws(LogTransportError) -> Bool {
        guard try sendBatch() else { return false }
        let head = packs || inBatch ? BatchFraming.headOfSingleLine(of: size) : []
        guard try makeRoom(for: head.count + size), let target = open?.target else { return false }
        UnsafeMutableRawBufferPointer(start: target, count: head.count).copyBytes(from: head)
        try write(target + head.count)
        let message = UnsafeRawBufferPointer(start: target, count: head.count + size)
        guard try sendPlaced(message, lastNumber: number) else { return false }
        if packs { open?.note(lines: 1) }
        lastOffered = number
        return true
    }

    /// Sends the lines that were packed, and a note that is due; false when something is left.
    mutating func sendBatch() throws(LogTransportError) -> Bool {
        if batch.isEmpty { return note == nil ? true : try isReady() }
        guard try push(batch.message(), lastNumber: lastOffered) else { return false }
        open?.note(lines: batch.count)
        batch.removeAll()
        return true
    }

    /// Copies a message to the open block, and sends it from there.
    @inline(__always)
    private mutating func push(_ bytes: UnsafeRawBufferPointer, lastNumber: UInt64) throws(LogTransportError) -> Bool {
        guard try makeRoom(for: bytes.count), let place = open?.place(bytes) else { return false }
        return try sendPlaced(place, lastNumber: lastNumber)
    }

    /// Sees to it that the open block has room for a message.
    @inline(__always) private mutating func makeRoom(for count: Int) throws(LogTransportError) -> Bool {
        if isHeld || note != nil, try !isReady() { return false }
        return try makeRoomInBlock(for: count)
    }

    @inline(__always) private mutating func makeRoomInBlock(for count: Int) throws(LogTransportError) -> Bool {
        if open?.hasRoom(for: count) == true { return true }
        if try openBlock(for: count) { return true }
        shortage = .memory(count)
        return false
    }

    /// Whether lines may be sent: there is a peer, and the note that is due was sent, in a block of its own as it is no
    /// line.
    private mutating func isReady() throws(LogTransportError) -> Bool {
        guard !isHeld else {
            shortage = .peer
            return false
        }
        guard let note else { return true }
        if open?.isEmpty == false { sealOpenBlock() }
        let bytes = (packs ? BatchFraming.headOfSingleLine(of: note.bytes.count) : []) + note.bytes
        guard try makeRoomInBlock(for: bytes.count), let target = open?.target else { return false }
        UnsafeMutableRawBufferPointer(start: target, count: bytes.count).copyBytes(from: bytes)
        let message = UnsafeRawBufferPointer(start: target, count: bytes.count)
        guard try sendPlaced(message, lastNumber: lastWrittenOff) else { return false }
        open?.note(lines: 0)
        sealOpenBlock(noting: note.count)
        self.note = nil
        return true
    }

    /// Sends the message that is at the open block's target.
    @inline(__always)
    private mutating func sendPlaced(
        _ bytes: UnsafeRawBufferPointer, lastNumber: UInt64
    ) throws(LogTransportError) -> Bool {
        guard let hint = open?.hint, try send(bytes, hint: hint) else {
            open?.takeBack()
            shortage = .peer
            return false
        }
        open?.keep(bytes.count, lastNumber: lastNumber)
        return true
    }

    /// Sends a message that is in a block; when it is not taken, it is released.
    @inline(__always)
    private mutating func send(
        _ bytes: UnsafeRawBufferPointer, hint: UnsafeMutableRawPointer
    ) throws(LogTransportError) -> Bool {
        do throws(ZeroMQError) {
            try message.adopt(bytes, hint: hint, release: SendBlock.release)
            if sendsEmptyTopic, try socket?.send([], more: true, wait: false) != true {
                message.clear()
                return false
            }
            if try socket?.send(&message, wait: false) == true { return true }
            message.clear()
            return false
        } catch {
            throw LogTransportError(sending: error)
        }
    }

    private mutating func openBlock(for count: Int) throws(LogTransportError) -> Bool {
        sealOpenBlock()
        guard ledger.hasRoom(for: count) else { return false }
        open = OpenBlock(try ledger.block(for: count, signal: signal))
        return true
    }

    private mutating func sealOpenBlock(noting noted: UInt64 = 0) {
        guard let sealed = open?.seal() else { return }
        open = nil
        ledger.append(sealed, noting: noted)
    }
}

extension PushSender {
    /// Counts the lines that are packed or with libzmq, and those beyond ``acknowledged`` that are not; no message is
    /// sent after that.
    mutating func countUnsent() -> (unsent: UInt64, ahead: UInt64) {
        sealOpenBlock()
        reclaim()
        let (unreleased, ahead) = ledger.lines
        return (unreleased + UInt64(batch.count), ahead)
    }

    /// Takes what libzmq has for lost, and has a note say so before the next line.
    ///
    /// - Returns: The lines; nil where there are none.
    mutating func writeOff() -> LostLines? {
        sealOpenBlock()
        reclaim()
        guard let lost = ledger.writeOff() else { return nil }
        let count = lost.count + lost.noted + (note?.count ?? 0)
        note = (form.bytes(of: DropNote(count: count, reason: .lostWithReceiver)), count)
        lastWrittenOff = lost.through
        return lost
    }

    /// Has libzmq let go of what is lost: it ends a connection's queue in calls of the thread that has the socket.
    mutating func letGoOfLost() throws(ZeroMQError) {
        guard let wait = waitForLost else { return }
        var items = [PollItem(wait)]
        _ = try poll(&items, timeout: .zero)
    }

    /// What tells that ``letGoOfLost()`` has something to do; nothing is ever received.
    var waitForLost: Wait? {
        mutating get {
            guard ledger.hasLost, let handle = socket?.handle else { return nil }
            return Wait(.socket(handle), .input)
        }
    }

    /// Notes what libzmq has let go of.
    mutating func reclaim() {
        ledger.reclaim()
        let isAllReleased = ledger.isEmpty && batch.isEmpty && open?.isReleased ?? true
        acknowledged = isAllReleased ? lastOffered : max(acknowledged, ledger.acknowledged)
    }

    /// What tells that there may be room, or that lines have left.
    mutating func wait(forRoom: Bool) -> Wait? {
        // Of the peer that it waits for then, the connections tell.
        let forRoom = forRoom && !isHeld
        if forRoom, case .peer = shortage, let handle = socket?.handle { return Wait(.socket(handle), .output) }
        guard forRoom || acknowledged < lastOffered else { return nil }
        signal.arm()
        open?.notifyWhenReleased()
        // What was released before that gave no signal.
        let before = acknowledged
        reclaim()
        if acknowledged != before || forRoom && hasRoom { signal.notify() }
        return Wait(.descriptor(signal.descriptor), .input)
    }

    /// Whether the message that found no memory finds it now.
    private var hasRoom: Bool {
        mutating get {
            guard case .memory(let count) = shortage else { return true }
            return ledger.hasRoom(for: count)
        }
    }

    /// Begins a connection anew that libzmq has given up.
    mutating func reconnect(_ endpoint: Endpoint) throws(ZeroMQError) { try socket?.reconnect(endpoint) }

    /// Closes the socket, and waits for libzmq's threads to end.
    mutating func close(linger: Duration) {
        try? socket?.setLinger(linger)
        socket = nil
        context = nil
    }
}
