import DedicatedThread
import Synchronization
import SystemPackage

/// The thread that makes written blocks safe at intervals, and tries again when the disk was full.
struct Caretaker: Sendable {
    private let shelf: Shelf
    private let writer: SharedWriter
    private let interval: Duration?

    private init(shelf: Shelf, writer: SharedWriter, interval: Duration?) {
        self.shelf = shelf
        self.writer = writer
        self.interval = interval
    }

    /// Starts the thread; it ends when the shelf is closed.
    static func start(shelf: Shelf, writer: SharedWriter, sync: SyncPolicy) {
        var interval: Duration?
        if case .interval(let duration) = sync { interval = duration }
        let caretaker = Caretaker(shelf: shelf, writer: writer, interval: interval)
        let thread = DedicatedThread(name: "spool")
        Task { await thread.run { caretaker.work() } }
    }

    private func work() {
        while !shelf.isClosed.load(ordering: .sequentiallyConsistent) {
            let (hasFiles, isDiskFull) = shelf.state.withLock { state in
                state.caretakerWaits = state.unsynchronized.isEmpty && !state.counts.isDiskFull
                return (!state.unsynchronized.isEmpty, state.counts.isDiskFull)
            }
            if hasFiles {
                shelf.work.wait(for: interval)
                synchronize()
            } else {
                shelf.work.wait(for: isDiskFull ? .milliseconds(500) : nil)
            }
            if isDiskFull { tryAgain() }
        }
    }

    private func synchronize() {
        let files = shelf.state.withLock { state in
            defer { state.unsynchronized.removeAll() }
            return state.unsynchronized
        }
        for file in files {
            guard let error = file.synchronize(in: shelf.directory) else { continue }
            shelf.state.withLock { $0.synchronizationFailure = error }
        }
    }

    /// Writes the block that found no room; a writer that waits for it tries by itself, and one that failed hears of it
    /// with the next call.
    private func tryAgain() {
        _ = writer.state.withLockIfAvailable { writer in try? writer.write(waits: false) }
    }
}
