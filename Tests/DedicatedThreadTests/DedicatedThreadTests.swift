import DedicatedThread
import Glibc
import Testing

private actor Owner {
    private let thread = DedicatedThread(name: "owner")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
    private var count = 0

    func currentThread() -> UInt { UInt(pthread_self()) }
    func block() -> UInt {
        usleep(1000)
        count += 1
        return UInt(pthread_self())
    }
    func total() -> Int { count }
}

@Suite struct DedicatedThreadTests {
    @Test("every job of an actor runs on the one thread, also from many tasks at once")
    func oneThread() async {
        let owner = Owner()
        let home = await owner.currentThread()
        await withTaskGroup(of: UInt.self) { group in
            for _ in 0..<50 { group.addTask { await owner.block() } }
            for await thread in group { #expect(thread == home) }
        }
        #expect(await owner.total() == 50)
    }

    @Test("a blocking closure returns its value, and what it throws is thrown")
    func run() async throws {
        struct Failed: Error, Equatable { var number: Int }
        let thread = DedicatedThread(name: "a name that is longer than fifteen bytes")
        #expect(await thread.run { 42 } == 42)
        await #expect(throws: Failed(number: 7)) {
            try await thread.run { () throws(Failed) -> Int in throw Failed(number: 7) }
        }
    }

    @Test("the thread ends after the executor is released, and not before its last job")
    func release() async {
        let before = threadCount()
        for _ in 0..<200 {
            let owner = Owner()
            async let first = owner.block()
            async let second = owner.block()
            #expect(await first == second)
        }
        // Threads end soon after their owners; two hundred that stayed would be seen here.
        for _ in 0..<2000 where threadCount() > before + 50 { usleep(10_000) }
        #expect(threadCount() <= before + 50)
    }

    private func threadCount() -> Int {
        guard let directory = opendir("/proc/self/task") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != UInt8(ascii: ".") { count += 1 }
        }
        return count
    }
}
