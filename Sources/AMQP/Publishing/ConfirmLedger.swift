/// Which messages of a publisher are not settled yet.
///
/// Numbers count up over reconnections; the broker's delivery tags begin at one on each channel.
struct ConfirmLedger {
    /// How many numbers the oldest unsettled message and the newest may be apart.
    let window: Int
    /// The number of the next message.
    private(set) var next: UInt64 = 1
    private var oldest: UInt64 = 1
    private var numberBeforeChannel: UInt64 = 0
    /// For each unsettled number, and those settled out of turn between them, at `number % window`.
    private var isSettled: [Bool]

    init(window: Int) {
        self.window = window
        isSettled = Array(repeating: false, count: window)
    }

    /// How many messages may be sent now.
    var room: Int { window - Int(next - oldest) }

    /// Whether everything sent is settled.
    var isEmpty: Bool { next == oldest }

    /// Counts a message that is sent.
    mutating func send() -> UInt64 {
        isSettled[Int(next % UInt64(window))] = false
        next += 1
        return next - 1
    }

    /// Takes note of a `basic.ack` or `basic.nack`.
    ///
    /// - Parameters:
    ///   - tag: The broker's delivery tag; with `isMultiple`, zero means all.
    ///   - isMultiple: Whether all before it are settled as well.
    /// - Returns: The numbers that are settled by it; `nil` when the broker speaks of what was never sent.
    mutating func settle(tag: UInt64, isMultiple: Bool) -> [ClosedRange<UInt64>]? {
        let last = isMultiple && tag == 0 ? next - 1 : tag &+ numberBeforeChannel
        guard last < next, last > numberBeforeChannel || isMultiple else { return nil }
        guard last >= oldest else { return [] }
        var ranges: [ClosedRange<UInt64>] = []
        var first: UInt64?
        for number in (isMultiple ? oldest : last)...last {
            if isSettled[Int(number % UInt64(window))] {
                if let begin = first { ranges.append(begin...(number - 1)) }
                first = nil
            } else {
                isSettled[Int(number % UInt64(window))] = true
                first = first ?? number
            }
        }
        if let begin = first { ranges.append(begin...last) }
        while oldest < next, isSettled[Int(oldest % UInt64(window))] { oldest += 1 }
        return ranges
    }

    /// Begins with a new channel.
    ///
    /// - Returns: The numbers that the old one left unsettled.
    mutating func restart() -> [ClosedRange<UInt64>] {
        let ranges = isEmpty ? [] : settle(tag: 0, isMultiple: true) ?? []
        numberBeforeChannel = next - 1
        return ranges
    }
}
