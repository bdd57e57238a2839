internal import Synchronization

/// Several threads for work that blocks: each piece goes to the one that has the least to do.
///
/// A thread starts with the first work that finds those before it busy, so there are never more than were needed at once.
package final class ThreadPool: Sendable {
    private let threads: [DedicatedThread]
    /// How many pieces each thread has to do.
    private let loads: Mutex<[Int]>

    /// Creates threads.
    ///
    /// - Parameters:
    ///   - name: What debuggers and `ps -L` show.
    ///   - count: How many there are at most.
    package init(name: String, count: Int) {
        threads = (0..<count).map { _ in DedicatedThread(name: name) }
        loads = Mutex(Array(repeating: 0, count: count))
    }

    /// Runs a closure that may block on one of the threads, and suspends the caller until it has returned.
    ///
    /// - Parameter body: The work; it may block as long as it likes.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    package func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let index = loads.withLock { loads in
            let index = loads.indices.min { loads[$0] < loads[$1] } ?? 0
            loads[index] += 1
            return index
        }
        return try await threads[index].run { () throws(Failure) in
            defer { self.loads.withLock { $0[index] -= 1 } }
            return try body()
        }
    }
}
