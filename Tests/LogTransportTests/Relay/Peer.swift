import DedicatedThread
import Glibc
import Synchronization
import ZeroMQ

/// A PULL socket and the messages that it got.
final class Peer: Sendable {
    private let thread = DedicatedThread(name: "peer")
    private let messages = Mutex<[String]>([])
    private let isStopped = Atomic<Bool>(false)

    /// The messages so far.
    var received: [String] { messages.withLock { $0 } }

    /// Connects, and receives until ``stop()``.
    ///
    /// - Parameters:
    ///   - endpoint: Where to.
    ///   - highWaterMark: How many messages wait in the socket at most.
    ///   - pause: How long to wait after each message.
    /// - Throws: `ZeroMQError`.
    init(connectingTo endpoint: String, highWaterMark: Int = 1000, every pause: Duration = .zero) throws {
        var options = SocketOptions()
        options.receiveHighWaterMark = highWaterMark
        var socket = try Socket(.pull, in: .ofTests, options: options)
        try socket.connect(Endpoint(endpoint))
        let holder = Mutex<Socket?>(socket)
        thread.start { [self] in
            guard var socket = holder.withLock({ $0.take() }) else { return }
            var message = Message()
            while !isStopped.load(ordering: .relaxed) {
                var items = [PollItem(socket, .input)]
                _ = try? ZeroMQ.poll(&items, timeout: .milliseconds(10))
                while !isStopped.load(ordering: .relaxed), (try? socket.receive(into: &message, wait: false)) == true {
                    let text = message.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                    messages.withLock { $0.append(text) }
                    if pause > .zero { usleep(useconds_t(pause / .microseconds(1))) }
                }
            }
        }
    }

    /// Closes the socket.
    func stop() async {
        isStopped.store(true, ordering: .relaxed)
        await thread.run {}
    }
}
