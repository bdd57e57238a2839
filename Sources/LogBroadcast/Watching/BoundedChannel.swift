import Synchronization

/// Elements between the tasks that bring them and those that take them: bounded, so that who brings waits for who takes.
///
/// What was taken is let go of at once.
final class BoundedChannel<Element: Sendable>: Sendable {
    /// How many elements wait before nobody may bring more.
    static var most: Int { 256 }
    /// How many bytes they have before nobody may bring more.
    static var mostBytes: Int { 4 << 20 }

    private typealias Waiting = [CheckedContinuation<Void, Never>]

    private struct State {
        /// What waits, behind the first `taken`, of which nothing is left.
        var elements: [(element: Element, bytes: Int)?] = []
        var taken = 0
        var bytes = 0
        var takers: Waiting = []
        var bringers: Waiting = []
        var isFinished = false

        var count: Int { elements.count - taken }
        var isFull: Bool { count >= most || bytes >= mostBytes }
        /// Whether there is room for so much that it is worth waking who brings.
        var isHalfEmpty: Bool { count < most / 2 && bytes < mostBytes / 2 }

        mutating func append(_ element: Element, bytes: Int) {
            elements.append((element, bytes))
            self.bytes += bytes
        }

        mutating func take() -> Element? {
            guard taken < elements.count, let first = elements[taken].take() else { return nil }
            taken += 1
            bytes -= first.bytes
            if taken == elements.count {
                elements.removeAll(keepingCapacity: true)
                taken = 0
            } else if taken >= most {
                // While more keeps coming it is never empty.
                elements.removeFirst(taken)
                taken = 0
            }
            return first.element
        }
    }

    private let state = Mutex(State())

    /// Brings an element, and waits while there are too many.
    ///
    /// - Parameters:
    ///   - element: The element.
    ///   - bytes: How many bytes it counts as.
    /// - Returns: Whether anybody may still take elements.
    func send(_ element: Element, bytes: Int = 0) async -> Bool {
        let (isOpen, taker) = state.withLock { state in
            guard !state.isFinished else { return (false, nil as CheckedContinuation<Void, Never>?) }
            state.append(element, bytes: bytes)
            return (true, state.takers.popLast())
        }
        taker?.resume()
        guard isOpen else { return false }
        while true {
            let isRoom = state.withLock { $0.isFinished || !$0.isFull }
            if isRoom { break }
            await withCheckedContinuation { continuation in
                let isRoom = state.withLock { state in
                    if state.isFinished || !state.isFull { return true }
                    state.bringers.append(continuation)
                    return false
                }
                if isRoom { continuation.resume() }
            }
        }
        return state.withLock { !$0.isFinished }
    }

    /// Takes the next element.
    ///
    /// - Returns: The element; nil after the end, or when the task was cancelled.
    func next() async -> Element? {
        while true {
            let (element, isFinished, bringers): (Element?, Bool, Waiting) = state.withLock { state in
                let element = state.take()
                guard state.isHalfEmpty else { return (element, state.isFinished, []) }
                defer { state.bringers = [] }
                return (element, state.isFinished, state.bringers)
            }
            for bringer in bringers { bringer.resume() }
            if let element { return element }
            if isFinished || Task.isCancelled { return nil }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let hasNews = state.withLock { state in
                        if state.count > 0 || state.isFinished || Task.isCancelled { return true }
                        state.takers.append(continuation)
                        return false
                    }
                    if hasNews { continuation.resume() }
                }
            } onCancel: {
                // Whoever was not meant looks again and waits on.
                wakeTakers()
            }
        }
    }

    /// How many places it keeps for elements, those included that were taken.
    var places: Int { state.withLock { $0.elements.count } }

    /// Ends it: what is here can still be taken.
    func finish() {
        let bringers = state.withLock { state in
            state.isFinished = true
            defer { state.bringers = [] }
            return state.bringers
        }
        for bringer in bringers { bringer.resume() }
        wakeTakers()
    }

    private func wakeTakers() {
        let takers = state.withLock { state in
            defer { state.takers = [] }
            return state.takers
        }
        for taker in takers { taker.resume() }
    }
}
