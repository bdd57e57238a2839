import Glibc

/// The block that lines are copied to.
struct OpenBlock {
    private let block: SendBlock
    private let start: UnsafeMutableRawPointer
    private let capacity: Int
    /// What messages in the block are released with.
    let hint: UnsafeMutableRawPointer
    private var fill = 0
    private var messages = 0
    private var takenBack = 0
    private var linesPerMessage: [Int] = []
    private var lastNumber: UInt64 = 0

    init(_ block: SendBlock) {
        self.block = block
        start = block.start
        capacity = block.capacity
        hint = block.begin()
    }

    /// Whether one more message of `count` bytes goes in.
    @inline(__always) func hasRoom(for count: Int) -> Bool {
        fill + count <= capacity && messages < SendLedger.mostMessages
    }

    /// Where the next message goes; the one after it overwrites it if it is not kept.
    @inline(__always) var target: UnsafeMutableRawPointer { start + fill }

    /// Copies a message to where it stays.
    @inline(__always) func place(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        if let source = bytes.baseAddress { memcpy(target, source, bytes.count) }
        return UnsafeRawBufferPointer(start: target, count: bytes.count)
    }

    /// Says that the message that was placed was sent.
    @inline(__always) mutating func keep(_ count: Int, lastNumber: UInt64) {
        fill += count
        messages += 1
        self.lastNumber = lastNumber
    }

    /// Says how many lines the message had that was sent last.
    mutating func note(lines: Int) { linesPerMessage.append(lines) }

    /// Says that the message that was placed was released without having been sent.
    @inline(__always) mutating func takeBack() {
        messages += 1
        takenBack += 1
    }

    /// Whether no message was sent from it.
    var isEmpty: Bool { messages == takenBack }

    /// Whether libzmq has let go of all messages.
    var isReleased: Bool { block.unreleased(of: messages) == 0 }

    /// Has the signal notified when libzmq has let go of all messages.
    func notifyWhenReleased() { block.notify(after: messages) }

    /// The block, which takes no more messages.
    consuming func seal() -> SendBlock {
        block.seal(
            messages: messages, lines: linesPerMessage.isEmpty ? messages - takenBack : linesPerMessage.reduce(0, +),
            linesPerMessage: linesPerMessage, lastNumber: lastNumber)
        return block
    }
}
