import Glibc
import ObjectStorage
import SystemPackage
import TestServers
import Testing

@Suite struct FileLockTests {
    @Test("one at a time has the lock of a key, and others have those of others")
    func exclusion() async throws {
        try await withFileStore { store, root in
            let other = FileObjectStore(root: FilePath(root))
            let lock = try await store.lock(ObjectKey("a/leases/n"), waits: false)
            #expect(lock != nil)
            #expect(try await store.lock(ObjectKey("a/leases/n"), waits: false) == nil)
            #expect(try await other.lock(ObjectKey("a/leases/n"), waits: false) == nil)
            #expect(try await other.lock(ObjectKey("a/leases"), waits: false) != nil)
            #expect(try await other.lock(ObjectKey("a%2Fleases/n"), waits: false) != nil)
            lock?.release()
            lock?.release()
            #expect(try await other.lock(ObjectKey("a/leases/n"), waits: false) != nil)
            #expect(try await store.list(ListQuery()).objects.isEmpty)
            await other.close()
        }
    }

    @Test("a lock ends with the value")
    func lifetime() async throws {
        try await withFileStore { store, _ in
            let key = try ObjectKey("a")
            var lock = try await store.lock(key)
            #expect(try await store.lock(key, waits: false) == nil)
            _ = lock
            lock = nil
            #expect(try await store.lock(key, waits: false) != nil)
        }
    }

    @Test("those who wait get the lock one after the other")
    func turns() async throws {
        try await withFileStore { store, root in
            let key = try ObjectKey("counter")
            try await store.put(key, [0])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let own = FileObjectStore(root: FilePath(root))
                        for _ in 0..<5 {
                            let lock = try await own.lock(key)
                            let number = try await own.get(key).bytes[0]
                            try await own.put(key, [number + 1])
                            lock?.release()
                        }
                        await own.close()
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.get(key).bytes == [40])
        }
    }

    @Test("a wait that is cancelled ends at once, and takes the lock from nobody")
    func cancellation() async throws {
        try await withFileStore { store, _ in
            let key = try ObjectKey("a")
            let lock = try await store.lock(key)
            let first = Task { await code { _ = try await store.lock(key) } }
            let second = Task { try await store.lock(key) }
            first.cancel()
            #expect(await first.value == .cancelled)
            #expect(try await store.lock(key, waits: false) == nil)
            lock?.release()
            let mine = try #require(try await second.value)
            let third = Task { await code { _ = try await store.lock(key) } }
            third.cancel()
            #expect(await third.value == .cancelled)
            mine.release()
            // The thread that waited for the third gives the lock back when it gets it.
            try await eventually("a free lock") { try await store.lock(key, waits: false) != nil }
            #expect(try await store.lock(key) != nil)
        }
    }

    @Test("a wait ends when the store is closed")
    func closing() async throws {
        try await withFileStore { store, root in
            let key = try ObjectKey("a")
            let lock = try await store.lock(key)
            let other = FileObjectStore(root: FilePath(root))
            let waiting = Task { await code { _ = try await other.lock(key) } }
            try await eventually("a thread that waits") { threadNames().contains("file-lock") }
            await other.close()
            #expect(await waiting.value == .closed)
            lock?.release()
        }
    }

    @Test("the lock of a process that was killed is free at once")
    func kill() async throws {
        try await withFileStore { store, root in
            let key = try ObjectKey("leases/n")
            try await withTemporaryFolder { folder in
                let child = try await ChildProcess.start(probe, ["lock", root, "leases/n"], in: folder)
                try await eventually("a locked key") { child.output == "locked\n" }
                #expect(try await store.lock(key, waits: false) == nil)
                let waiting = Task { try await store.lock(key) }
                child.signal(SIGKILL)
                #expect(try await waiting.value != nil)
            }
        }
    }

    @Test("keys of any length have locks of their own")
    func longKeys() async throws {
        try await withFileStore { store, _ in
            let long = Array(repeating: String(repeating: "ü/", count: 100), count: 3).joined()
            let first = try await store.lock(ObjectKey("\(long)1"), waits: false)
            let second = try await store.lock(ObjectKey("\(long)2"), waits: false)
            #expect(first != nil && second != nil)
            #expect(try await store.lock(ObjectKey("\(long)1"), waits: false) == nil)
        }
    }

    private func threadNames() -> [String] {
        guard let stream = opendir("/proc/self/task") else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let id = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(String(readText("/proc/self/task/\(id)/comm").dropLast()))
        }
        return names
    }
}
