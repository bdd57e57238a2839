import ObjectStorage
import SystemPackage
import TestServers
import Testing

@testable import MessageLog

/// The lease that is a lock of the kernel's, between stores on one folder, as several processes have it.
@Suite(.timeLimit(.minutes(1))) struct FileLeaseTests {
    /// Gives `body` leases of one name, each on a store of its own.
    private func withLeases(
        _ body: (FileLease, FileLease) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { root in
            let stores = (0..<2).map { _ in FileObjectStore(root: FilePath(root)) }
            let leases = try stores.map { store in
                let folder = try LogFolder(
                    store: store, prefix: "", key: RoutingKey("A.B"), environment: .system)
                return try FileLease(store: store, object: folder.object("leases/c"), environment: .system)
            }
            try await body(leases[0], leases[1])
            for lease in leases { await lease.close() }
            for store in stores { await store.close() }
        }
    }

    @Test("one has it, and who has it may ask again")
    func alone() async throws {
        try await withLeases { one, two in
            await #expect { try await one.check() } throws: { code($0) == .leaseLost }
            #expect(try await one.tryToTake())
            #expect(try await one.tryToTake())
            #expect(try await !two.tryToTake())
            try await one.check()
            await #expect { try await two.check() } throws: { code($0) == .leaseLost }
            await one.release()
            await #expect { try await one.check() } throws: { code($0) == .leaseLost }
            #expect(try await two.tryToTake())
        }
    }

    @Test("who waits has it as soon as it is given back")
    func waiting() async throws {
        try await withLeases { one, two in
            try await one.take()
            let taking = Task { try await two.take() }
            try await eventually("a waiter") { await two.waiting != nil }
            await one.release()
            try await taking.value
            try await two.check()
            #expect(try await !one.tryToTake())
        }
    }

    @Test("a wait ends when it is cancelled or closed, and takes nothing")
    func ended() async throws {
        try await withLeases { one, two in
            try await one.take()
            let cancelled = Task { try await two.take() }
            try await eventually("a waiter") { await two.waiting != nil }
            cancelled.cancel()
            await #expect { try await cancelled.value } throws: { code($0) == .cancelled }
            let closed = Task { try await two.take() }
            try await eventually("a waiter") { await two.waiting != nil }
            await two.close()
            await #expect { try await closed.value } throws: { code($0) == .closed }
            await one.release()
            #expect(try await one.tryToTake())
            await #expect { try await two.take() } throws: { code($0) == .closed }
        }
    }
}
