import DedicatedThread
import Glibc
import LogTransport
import Synchronization
import TestServers
import ZeroMQ

/// A pipe whose reading end is a relay's input.
final class InputPipe: Sendable {
    let reader: Int32
    private let writer: Mutex<Int32>

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw TestServerError("no pipe: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reader = ends[0]
        writer = Mutex(ends[1])
    }

    deinit {
        closeWriter()
        close(reader)
    }

    /// Writes all of a text; to be called where it may block.
    func write(_ text: String) {
        let descriptor = writer.withLock { $0 }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    func closeWriter() {
        writer.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }
}

/// A relay at work on a thread of its own.
final class RunningRelay: Sendable {
    let relay: StdinRelay
    let control: RelayControl
    private let thread = DedicatedThread(name: "relay")
    private let task: Task<RelayReport, any Error>

    init(_ relay: StdinRelay) throws {
        self.relay = relay
        let control = try RelayControl()
        self.control = control
        let thread = thread
        task = Task { try await thread.run { () throws(LogTransportError) in try relay.run(under: control) } }
    }

    /// Waits for its end.
    func report() async throws -> RelayReport { try await task.value }
}

/// A PULL socket and the messages that it got.
final class Peer: Sendable {
    private let thread = DedicatedThread(name: "peer")
    private let lines = Mutex<[String]>([])
    private let isStopped = Atomic<Bool>(false)

    var received: [String] { lines.withLock { $0 } }

    /// Connects, and receives until ``stop()``.
    init(connectingTo endpoint: String, in context: Context = Context.ofTests, every pause: Duration? = nil) throws {
        var socket = try Socket(.pull, in: context)
        try socket.connect(Endpoint(endpoint))
        receive(on: socket, every: pause)
    }

    /// Binds, and receives until ``stop()``.
    init(bindingTo endpoint: String, in context: Context = Context.ofTests) throws {
        var socket = try Socket(.pull, in: context)
        _ = try socket.bind(Endpoint(endpoint))
        receive(on: socket, every: nil)
    }

    private func receive(on socket: consuming Socket, every pause: Duration?) {
        let holder = Mutex<Socket?>(socket)
        thread.start { [self] in
            guard var socket = holder.withLock({ $0.take() }) else { return }
            var message = Message()
            while !isStopped.load(ordering: .relaxed) {
                var items = [PollItem(socket, .input)]
                _ = try? poll(&items, timeout: .milliseconds(20))
                while (try? socket.receive(into: &message, wait: false)) == true {
                    let text = message.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                    lines.withLock { $0.append(text) }
                    if pause != nil { break }
                }
                if let pause { usleep(useconds_t(pause / .microseconds(1))) }
            }
        }
    }

    /// Closes the socket.
    func stop() async {
        isStopped.store(true, ordering: .relaxed)
        await thread.run {}
    }
}

extension Context {
    static let ofTests: Context = {
        // Nothing else can make a context fail than want of memory.
        guard let context = try? Context() else { preconditionFailure("no context") }
        return context
    }()
}

/// A relay with a bound socket, fed by a pipe.
final class RelayStand: Sendable {
    let input: InputPipe
    let running: RunningRelay
    private let writing = DedicatedThread(name: "writer")
    private let bound: FirstAnswer<String>

    init(
        input: InputPipe, options: RelayOptions = RelayOptions(), form: LineForm = LineForm(), highWaterMark: Int = 1000
    ) throws {
        self.input = input
        let bound = FirstAnswer<String>()
        self.bound = bound
        let any = try Endpoint("tcp://127.0.0.1:*")
        let relay = StdinRelay(options: options, form: form, input: input.reader) { () throws(LogTransportError) in
            try SocketOutlet(bindingTo: any, highWaterMark: highWaterMark) { bound.offer($0.description) }
        }
        running = try RunningRelay(relay)
    }

    /// Where the socket is bound; to be asked once.
    func endpoint() async throws -> String { await bound.value() }

    /// Writes a text to the input, however long that takes.
    func write(_ text: String) async {
        await writing.run { [self] in input.write(text) }
    }
}
