import DedicatedThread
import Logging
import ZeroMQ

@testable import LogTransport

/// A sender on a thread of its own, whose lines are their numbers.
final class NumberedSender: Sendable {
    struct Outcome: Sendable {
        var left: UInt64
        var acknowledged: UInt64
        var counts: OutletCounts
    }

    private let thread = DedicatedThread(name: "sender")
    private let opened = FirstAnswer<Result<Endpoint?, LogTransportError>>()
    private let options: ReliableOutletOptions
    private let count: UInt64
    private let time: Duration

    /// A sender of some lines, which waits so long at most until they are acknowledged.
    init(_ options: ReliableOutletOptions, count: UInt64, time: Duration = .seconds(60)) {
        self.options = options
        self.count = count
        self.time = time
    }

    static var anyPort: Endpoint { get throws { try Endpoint("tcp://127.0.0.1:*") } }

    static var impatience: ReliableTimes {
        var times = ReliableTimes()
        times.heartbeat = .milliseconds(50)
        times.silence = .milliseconds(1000)
        times.stall = .milliseconds(500)
        return times
    }

    /// Where it is bound, once it is.
    func endpoint() async throws -> Endpoint? { try await opened.value().get() }

    func run() async throws -> Outcome {
        try await thread.run { () throws(LogTransportError) in
            let outlet: ReliableOutlet
            do throws(LogTransportError) {
                outlet = try ReliableOutlet(self.options, logger: Logger(label: "sender"))
            } catch {
                self.opened.offer(.failure(error))
                throw error
            }
            self.opened.offer(.success(outlet.endpoints.first))
            return try self.send(to: outlet)
        }
    }

    private func send(to outlet: ReliableOutlet) throws(LogTransportError) -> Outcome {
        let deadline = ContinuousClock.now + time
        let never = try EventDescriptor()
        var number: UInt64 = 1
        while number <= count, ContinuousClock.now < deadline {
            let line = Array(String(number).utf8)
            let isTaken = try line.span.withUnsafeBytes { (bytes) throws(LogTransportError) in
                try outlet.offer(bytes, number: number)
            }
            if isTaken {
                number += 1
                if number % 1000 == 0 { try outlet.advance() }
            } else {
                try wait(for: outlet, until: deadline)
            }
        }
        let left = try outlet.finish(until: deadline, end: never.number)
        return Outcome(left: left, acknowledged: outlet.acknowledged, counts: outlet.counts)
    }

    private func wait(for outlet: ReliableOutlet, until deadline: ContinuousClock.Instant) throws(LogTransportError) {
        var items: [PollItem] = []
        for wait in outlet.waits(forRoom: true) {
            if case .socket(let handle) = wait.source { items.append(PollItem(socketHandle: handle, .input)) }
        }
        do throws(ZeroMQError) {
            let end = min(deadline, outlet.nextDeadline ?? deadline)
            try poll(&items, timeout: max(.zero, end - .now))
        } catch {
            throw LogTransportError(.systemError, "no wait", cause: error)
        }
        try outlet.advance()
    }
}
