import Glibc
import Synchronization

/// Memory that holds the bytes of messages until libzmq has let go of all of them.
///
/// Messages refer to it by a pointer, each until its release. The block is alive while there is one that was not
/// released, whoever else has forgotten it.
///
/// `@unchecked Sendable`: only ``unreleased`` and ``wakesAt`` are used by several threads; all that varies besides belongs
/// to the thread that sends.
final class SendBlock: @unchecked Sendable {
    /// More messages than any block holds.
    ///
    /// While a block is open ``unreleased`` is higher by this, so that it does not
    /// reach zero before the last message is in.
    private static let open = 1 << 40

    /// Where the bytes are.
    let start: UnsafeMutableRawPointer
    let capacity: Int
    private let signal: SendSignal
    private let unreleased = Atomic(open)
    private let wakesAt = Atomic(0)

    /// The lines in the block.
    private(set) var lines = 0
    /// Lines in each message, in order; empty where each message is one line.
    private var linesPerMessage: [Int] = []
    /// What the block and its messages take in memory, in bytes.
    private(set) var cost = 0
    /// The number of the last line in the block.
    private(set) var lastNumber: UInt64 = 0

    /// A block with room for `capacity` bytes.
    init(capacity: Int, signal: SendSignal) throws(LogTransportError) {
        // Directly from the operating system, and back to it: blocks of all sizes come and go in threads of all kinds.
        guard let start = mmap(nil, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED
        else {
            throw LogTransportError(
                .systemError, "no memory for \(capacity) bytes: \(String(cString: strerror(errno)))")
        }
        self.start = start
        self.capacity = capacity
        self.signal = signal
    }

    deinit { munmap(start, capacity) }

    /// Takes the block into use; the hint for ``release``, which is valid as long as messages refer to the block.
    func begin() -> UnsafeMutableRawPointer {
        unreleased.store(Self.open, ordering: .relaxed)
        wakesAt.store(0, ordering: .relaxed)
        return Unmanaged.passRetained(self).toOpaque()
    }

    /// Says that no message comes in any more.
    ///
    /// - Parameters:
    ///   - messages: The messages that refer or referred to the block, also those that libzmq did not take.
    ///   - lines: The lines in those that it took.
    ///   - linesPerMessage: The lines in each that it took, in order; empty where each is one line.
    ///   - lastNumber: The number of the last line.
    func seal(messages: Int, lines: Int, linesPerMessage: [Int], lastNumber: UInt64) {
        self.lines = lines
        self.linesPerMessage = linesPerMessage
        self.lastNumber = lastNumber
        cost = capacity + messages * SendLedger.costPerMessage
        wakesAt.store(0, ordering: .sequentiallyConsistent)
        let left = unreleased.subtract(Self.open - messages, ordering: .sequentiallyConsistent).newValue
        if left == 0 { Unmanaged.passUnretained(self).release() }
    }

    /// Whether libzmq has let go of all messages of a sealed block.
    var isReleased: Bool { unreleased.load(ordering: .sequentiallyConsistent) == 0 }

    /// The lines of a sealed block that libzmq still has: exactly where there is one receiver, as the last in are the
    /// last out then.
    var unreleasedLines: Int {
        let messages = unreleased.load(ordering: .sequentiallyConsistent)
        return linesPerMessage.isEmpty ? messages : linesPerMessage.suffix(messages).reduce(0, +)
    }

    /// How many of the first `messages` messages of an open block libzmq still has.
    func unreleased(of messages: Int) -> Int {
        unreleased.load(ordering: .sequentiallyConsistent) - Self.open + messages
    }

    /// Has the signal notified when the first `messages` messages of an open block are released.
    func notify(after messages: Int) {
        wakesAt.store(Self.open - messages, ordering: .sequentiallyConsistent)
    }

    /// What libzmq calls for each message, in a thread of its own or in one that drops messages.
    static let release: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Void = { _, hint in
        guard let hint else { return }
        Unmanaged<SendBlock>.fromOpaque(hint)._withUnsafeGuaranteedRef { block in
            let left = block.unreleased.subtract(1, ordering: .sequentiallyConsistent).newValue
            // At zero the block may be in use anew already, but for what it is kept alive by.
            guard left == 0 || left == block.wakesAt.load(ordering: .sequentiallyConsistent) else { return }
            let signal = block.signal
            if left == 0 { Unmanaged.passUnretained(block).release() }
            signal.notify()
        }
    }
}
