import DedicatedThread
import Glibc
import LogTransport
import Synchronization
import TestServers
import ZeroMQ

/// A relay with a bound socket, fed by a pipe, at work on a thread of its own.
final class RelayStand: Sendable {
    let input: InputPipe
    let confirmations: OutputPipe
    let running: RunningRelay
    private let writing = DedicatedThread(name: "writer")
    private let bound: FirstAnswer<String>

    init(
        input: InputPipe? = nil, options: RelayOptions = RelayOptions(), form: LineForm = LineForm(),
        highWaterMark: Int = 1000, stopsAtStart: Bool = false
    ) throws {
        let input = try input ?? InputPipe()
        let confirmations = try OutputPipe()
        let bound = FirstAnswer<String>()
        let control = try RelayControl()
        let relay = StdinRelay(
            options: options, form: form, input: input.reader, output: confirmations.writer
        ) { () throws(LogTransportError) in
            if stopsAtStart { control.stop() }
            return try SocketOutlet(bindingTo: .anyPort, highWaterMark: highWaterMark) {
                bound.offer($0.description)
            }
        }
        self.input = input
        self.confirmations = confirmations
        self.bound = bound
        running = try RunningRelay(relay, under: control)
    }

    /// Where the socket is bound; to be asked once.
    func endpoint() async throws -> String { await bound.value() }

    /// Writes a text to the input, however long that takes.
    func write(_ text: String) async {
        await writing.run { [self] in input.write(text) }
    }
}

/// A relay at work on a thread of its own.
final class RunningRelay: Sendable {
    let relay: StdinRelay
    let control: RelayControl
    private let task: Task<RelayReport, any Error>

    init(_ relay: StdinRelay, under given: RelayControl? = nil) throws {
        let control = try given ?? RelayControl()
        self.relay = relay
        self.control = control
        let thread = DedicatedThread(name: "relay")
        task = Task { try await thread.run { () throws(LogTransportError) in try relay.run(under: control) } }
    }

    /// Waits for its end.
    func report() async throws -> RelayReport { try await task.value }
}

/// Lines of one width, the text of which sorts as their numbers do.
func numbered(_ count: Int, width: Int = 20) -> [String] {
    (0..<count).map { number in
        let digits = String(number)
        return String(repeating: "0", count: 10 - digits.count) + digits + String(repeating: ".", count: width - 10)
    }
}

extension Endpoint {
    /// A free port of the loopback address.
    static var anyPort: Endpoint {
        get throws(LogTransportError) {
            do { return try Endpoint("tcp://127.0.0.1:*") } catch {
                throw LogTransportError(.invalidArgument, "no endpoint", cause: error)
            }
        }
    }
}

extension Context {
    /// Of all sockets of the tests.
    static let ofTests: Context = {
        // Nothing but want of memory keeps a context from being made.
        guard let context = try? Context() else { preconditionFailure("no context") }
        return context
    }()
}

/// Where a socket was bound, told by the thread that did it.
final class FirstEndpoint: Sendable {
    private let answer = FirstAnswer<String>()

    func set(_ endpoint: String) { answer.offer(endpoint) }

    /// Waits for it; to be called once.
    func value() async throws -> String { await answer.value() }
}

/// Runs what may block on a thread of its own.
func blocking<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
    try await DedicatedThread(name: "blocking").run(body)
}
