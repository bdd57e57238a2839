import DedicatedThread
import LogTransport
import Spool
import Synchronization
import SystemPackage
import TestServers
import ZeroMQ

/// A PULL socket in a context of its own, as in another process.
struct TestPuller: ~Copyable, Sendable {
    private var socket: Socket
    let endpoint: Endpoint

    /// Binds, to a free port by default, or connects.
    init(
        bindingTo place: Endpoint? = nil, connectingTo endpoint: Endpoint? = nil, highWaterMark: Int = 1000,
        curve: Curve? = nil
    ) throws {
        var options = SocketOptions()
        options.receiveHighWaterMark = highWaterMark
        options.reconnectInterval = .milliseconds(1)
        options.curve = curve
        var socket = try Socket(.pull, in: Context(), options: options)
        if let endpoint {
            try socket.connect(endpoint)
            self.endpoint = endpoint
        } else {
            self.endpoint = try socket.bind(place ?? Endpoint("tcp://127.0.0.1:*"))
        }
        self.socket = socket
    }

    /// The frames of the next message.
    mutating func frames() throws -> [[UInt8]] {
        var items = [PollItem(socket, .input)]
        guard try poll(&items, timeout: .seconds(20)) == 1 else { throw TestServerError("no message came") }
        var frames: [[UInt8]] = []
        var message = Message()
        repeat {
            _ = try socket.receive(into: &message, wait: true)
            frames.append(message.bytes)
        } while message.hasMore
        return frames
    }

    /// The next `count` messages of one frame.
    mutating func messages(_ count: Int) throws -> [[UInt8]] {
        var messages: [[UInt8]] = []
        while messages.count < count { messages += try frames() }
        return messages
    }

    /// The frame of a message that is there.
    mutating func messageAtHand() throws -> [UInt8]? {
        var message = Message()
        return try socket.receive(into: &message, wait: false) ? message.bytes : nil
    }

    /// Whether a message is there or comes at once.
    mutating func isEmpty() throws -> Bool {
        var items = [PollItem(socket, .input)]
        return try poll(&items, timeout: .milliseconds(50)) == 0
    }
}

/// An outlet whose only peer took one line, and has gone without the outlet having heard of it: libzmq queues what comes.
struct GonePeer {
    let outlet: PushOutlet

    init(batchLines: Int = 1) throws {
        var puller = try Socket(.pull, in: Context())
        var options = PushOptions(connect: [try puller.bind(Endpoint("tcp://127.0.0.1:*"))])
        options.batchLines = batchLines
        outlet = try PushOutlet(options)
        var message = Message()
        while try !outlet.offers(bytes("line"), number: 1) { try outlet.advance() }
        repeat {
            try outlet.flush()
            try outlet.advance()
        } while try !puller.receive(into: &message, wait: false)
        try outlet.waitUntilAllLeft(1)
    }
}

extension PushOutlet {
    /// Offers a line, and waits for room as a relay does.
    func hand(_ line: [UInt8], number: UInt64) throws {
        while try !offers(line, number: number) { try waitForRoom() }
    }

    func offers(_ line: [UInt8], number: UInt64) throws -> Bool {
        let span = line.span
        return try span.withUnsafeBytes { bytes throws(LogTransportError) in try offer(bytes, number: number) }
    }

    func offers(_ line: [UInt8], in envelope: inout JSONEnvelope, number: UInt64) throws -> Bool {
        let span = line.span
        return try span.withUnsafeBytes { bytes throws(LogTransportError) in
            try offer(bytes, in: &envelope, number: number)
        }
    }

    func waitForRoom() throws {
        try wait(waits(forRoom: true), "room")
        try advance()
    }

    /// Waits until all lines that were offered have left.
    func waitUntilAllLeft(_ number: UInt64) throws {
        while acknowledged < number { try waitForLeaving() }
    }

    /// Waits until lines that were offered have left, as a relay does when its input pauses.
    func waitForLeaving() throws {
        try wait(waits(forRoom: false), "lines to leave")
        try advance()
    }

    /// How many lines there is room for.
    func fill(with line: [UInt8], from first: UInt64 = 1) throws -> UInt64 {
        var number = first
        while try offers(line, number: number) { number += 1 }
        return number - first
    }

    /// How many lines there is room for until none comes any more, as nobody reads.
    func fillUp(with line: [UInt8], from first: UInt64) throws -> UInt64 {
        var count: UInt64 = 0
        repeat {
            count += try fill(with: line, from: first + count)
            try advance()
        } while try poll(waits(forRoom: true), timeout: .milliseconds(500))
        return count
    }

    /// Whether a wait would end at once.
    func isReady() throws -> Bool { try poll(waits(forRoom: false), timeout: .zero) }

    private func wait(_ waits: [Wait], _ what: String) throws {
        guard try poll(waits, timeout: .seconds(20)) else { throw TestServerError("no \(what) in 20 seconds") }
    }

    private func poll(_ waits: [Wait], timeout: Duration) throws -> Bool {
        var items = waits.map { wait in
            switch wait.source {
            case .descriptor(let number): PollItem(descriptor: number, PollItem.Events(rawValue: wait.events.rawValue))
            case .socket(let handle):
                PollItem(socketHandle: handle, PollItem.Events(rawValue: wait.events.rawValue))
            }
        }
        return try ZeroMQ.poll(&items, timeout: timeout) > 0
    }
}

/// Opens a spool in a temporary folder, gives it to `body`, and closes it.
func withSpool(_ body: (Spool) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        let spool = try Spool(SpoolOptions(directory: FilePath("\(folder)/spool"), sync: .never))
        try await body(spool)
        try spool.close()
    }
}

extension Spool {
    /// Appends a record of U+0001.
    func append(longCount count: Int) throws {
        let bytes = [UInt8](repeating: 1, count: 4096)
        let result = try append(count: count) { take in
            bytes.withUnsafeBytes { bytes in
                for place in stride(from: 0, to: count, by: bytes.count) {
                    take(UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, count - place)]))
                }
            }
        }
        guard result == .appended else { throw TestServerError("the spool has no room") }
    }

    /// The next record, a long one.
    func nextLong() throws -> SpoolLongRecord {
        guard case .long(let record)? = try nextDelivery() else { throw TestServerError("no long record comes next") }
        return record
    }
}

/// The bytes of a text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// What happens at the end of an outlet's life when nobody hurries it.
func inGoodTime(_ limit: Duration = .seconds(20)) -> ContinuousClock.Instant { .now + limit }
