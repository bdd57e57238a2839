import FoundationEssentials
import Glibc
import Synchronization

/// A server that tests use one after the other.
protocol PooledServer: Sendable {
    /// Starts one that keeps everything in a folder.
    static func start(in folder: String) async throws -> Self

    /// As if newly started, for the next test.
    ///
    /// - Throws: ``TestServerError`` when it is of no use any more.
    func fresh() async throws -> Self

    /// Ends it.
    func end() async

    /// Ends it without waiting, at the exit of the test process.
    func killAtExit()
}

/// Servers of one kind that run and that no test uses now.
final class ServerPool<Server: PooledServer>: Sendable {
    private typealias Entry = (server: Server, folder: String)

    private let idle = Mutex<[Entry]>([])

    init() {
        LeftServers.note { [self] in
            for entry in idle.withLock({ $0 }) {
                entry.server.killAtExit()
                try? FileManager.default.removeItem(atPath: entry.folder)
            }
        }
    }

    /// Gives a server to `body`, for it alone; one whose test threw is ended, others are handed on.
    func with<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: (Server) async throws -> Value
    ) async throws -> Value {
        let entry = try await take()
        do {
            let value = try await body(entry.server)
            idle.withLock { $0.append(entry) }
            return value
        } catch {
            await end(entry)
            throw error
        }
    }

    private func take() async throws -> Entry {
        while let entry = idle.withLock({ $0.popLast() }) {
            if let server = try? await entry.server.fresh() { return (server, entry.folder) }
            await end(entry)
        }
        let folder = try makeTemporaryFolder()
        do {
            return (try await Server.start(in: folder), folder)
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    private func end(_ entry: Entry) async {
        await entry.server.end()
        try? FileManager.default.removeItem(atPath: entry.folder)
    }
}

/// What is to be done about servers when the test process exits: the kernel would kill them, but not remove their folders.
private enum LeftServers {
    private static let closures = Mutex<[@Sendable () -> Void]>([])
    private static let isRegistered = atexit {
        for closure in LeftServers.closures.withLock({ $0 }) { closure() }
    }

    static func note(_ closure: @escaping @Sendable () -> Void) {
        _ = isRegistered
        closures.withLock { $0.append(closure) }
    }
}
