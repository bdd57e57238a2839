import FoundationEssentials
import Glibc
import Synchronization

/// Gives a broker to `body`, for it alone, as if newly started.
///
/// It is handed on to the next test; one whose test threw is ended instead. Its virtual machine may be killed, as long as
/// it is started again.
public func withRabbitMQ<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: (RabbitMQServer) async throws -> Value
) async throws -> Value {
    let entry = try await IdleBrokers.take()
    do {
        let value = try await body(entry.server)
        IdleBrokers.putBack(entry)
        return value
    } catch {
        await IdleBrokers.end(entry)
        throw error
    }
}

/// Starts a broker of a special kind, and ends it after `body`, also when that throws.
///
/// The parameters are those of ``RabbitMQServer/start(in:authority:asksForCertificate:lines:)``.
public func withRabbitMQ<Value>(
    authority: TestAuthority?, asksForCertificate: Bool = false, lines: [String] = [],
    isolation: isolated (any Actor)? = #isolation, _ body: (RabbitMQServer) async throws -> Value
) async throws -> Value {
    try await withTemporaryFolder { folder in
        let server = try await RabbitMQServer.start(
            in: folder, authority: authority, asksForCertificate: asksForCertificate, lines: lines)
        do {
            let value = try await body(server)
            await server.kill()
            return value
        } catch {
            await server.kill()
            throw error
        }
    }
}

/// Brokers that run and that no test uses now.
private enum IdleBrokers {
    struct Entry: Sendable {
        let server: RabbitMQServer
        let folder: String
    }

    private static let idle = Mutex<[Entry]>([])

    static func take() async throws -> Entry {
        while let entry = idle.withLock({ $0.popLast() }) {
            if (try? await entry.server.reset()) != nil { return entry }
            await end(entry)
        }
        _ = endsWithProcess
        let folder = try makeTemporaryFolder()
        do {
            return Entry(server: try await RabbitMQServer.start(in: folder), folder: folder)
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    static func putBack(_ entry: Entry) { idle.withLock { $0.append(entry) } }

    static func end(_ entry: Entry) async {
        await entry.server.kill()
        try? FileManager.default.removeItem(atPath: entry.folder)
    }

    /// Ends those that are left when the test process exits.
    ///
    /// The kernel would kill them, but not remove their folders.
    private static let endsWithProcess = atexit {
        for entry in IdleBrokers.idle.withLock({ $0 }) {
            entry.server.killAtExit()
            try? FileManager.default.removeItem(atPath: entry.folder)
        }
    }
}
