/// Which segments messages came from that are not committed yet, so that a cursor can say where to go on.
///
/// It stays small however many these are: then it knows only some, and the cursor names a segment further back.
struct Trail: Sendable {
    private var steps: [(segment: UInt64, first: UInt64, end: UInt64)] = []

    private static let limit = 1024

    mutating func add(segment: UInt64, first: UInt64, end: UInt64) {
        if steps.count >= Self.limit {
            steps = steps.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        }
        steps.append((segment, first, end))
    }

    /// A segment at or before the one that a message is in, or will be; 0 when none is known.
    func segment(of sequence: UInt64) -> UInt64 {
        guard let step = steps.last(where: { $0.first <= sequence }) else { return 0 }
        return step.end == sequence ? step.segment + 1 : step.segment
    }

    /// Forgets what is not needed for messages from one on.
    mutating func drop(before sequence: UInt64) {
        guard let last = steps.lastIndex(where: { $0.first <= sequence }) else { return }
        steps.removeFirst(last)
    }
}
