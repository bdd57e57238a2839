import Glibc

/// Memory of one owner that grows when it must, and that lets go of what only one huge line needed.
///
/// `@unchecked Sendable`: the memory is reached through this value alone, which cannot be copied.
struct OwnedBytes: ~Copyable, @unchecked Sendable {
    /// Where the memory begins; until the next call that changes its size.
    private(set) var start: UnsafeMutableRawPointer
    /// How many bytes there are.
    private(set) var capacity: Int
    private let usualCapacity: Int

    /// Allocates memory of its usual size.
    init(usualCapacity: Int) {
        self.usualCapacity = usualCapacity
        capacity = usualCapacity
        start = allocate(usualCapacity)
    }

    deinit { free(start) }

    /// Makes room for at least so many bytes; those that are there stay.
    @inline(__always) mutating func reserve(_ count: Int) {
        if count > capacity { grow(to: count) }
    }

    /// Goes back to the usual size; what was in the memory is lost.
    @inline(__always) mutating func shrink() {
        if capacity > usualCapacity { start = replacement() }
    }

    /// Gives the memory away, to be released with free(3), and goes on with fresh memory of the usual size.
    mutating func take() -> UnsafeMutableRawPointer {
        let taken = start
        start = allocate(usualCapacity)
        capacity = usualCapacity
        return taken
    }

    private mutating func grow(to count: Int) {
        // Doubling keeps the cost of many small steps linear; a large block is moved by the kernel, not copied.
        let wanted = max(count, min(2 * capacity, capacity + 262_144))
        guard let grown = realloc(start, wanted) else { outOfMemory(wanted) }
        (start, capacity) = (grown, wanted)
    }

    private mutating func replacement() -> UnsafeMutableRawPointer {
        free(start)
        capacity = usualCapacity
        return allocate(usualCapacity)
    }
}

private func allocate(_ count: Int) -> UnsafeMutableRawPointer {
    guard let memory = malloc(count) else { outOfMemory(count) }
    return memory
}

/// As for every allocation of Swift's own there is no way on.
private func outOfMemory(_ count: Int) -> Never {
    preconditionFailure("out of memory for \(count) bytes")
}
