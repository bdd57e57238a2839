import LogTransport
import Synchronization

/// An outlet that keeps what it gets, and that has no room each time it is offered a line first.
final class MemoryOutlet: Outlet {
    /// What outlets were given, in order.
    final class Lines: Sendable {
        private let lines = Mutex<[[UInt8]]>([])

        var all: [[UInt8]] { lines.withLock { $0 } }

        fileprivate func append(_ line: UnsafeRawBufferPointer) { lines.withLock { $0.append(Array(line)) } }
    }

    private let lines: Lines
    private var refused: UInt64 = 0
    private(set) var acknowledged: UInt64 = 0

    init(_ lines: Lines) { self.lines = lines }

    func offer(_ line: UnsafeRawBufferPointer, number: UInt64) -> Bool {
        guard refused == number else {
            refused = number
            return false
        }
        lines.append(line)
        acknowledged = number
        return true
    }

    func flush() {}
    func advance() {}
    func waits(forRoom: Bool) -> [Wait] { [] }
    /// There is room again at once.
    var nextDeadline: ContinuousClock.Instant? { refused > acknowledged ? .now : nil }
    var counts: OutletCounts { OutletCounts() }
    func finish(until deadline: ContinuousClock.Instant, end: Int32) -> UInt64 { 0 }
}
