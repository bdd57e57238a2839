import DedicatedThread
import FoundationEssentials
import Glibc

/// Runs `body` while no other test uses what there is once on a machine: `/etc/haproxy`, `/etc/sudoers.d`, the haproxy
/// service, the default folders.
///
/// What stands at `paths` is kept and put back afterwards, also when `body` throws; what was not there is removed. The
/// lock of ``withSystemHAProxy(isolation:_:)`` keeps other tests out, those of other processes included.
///
/// - Parameters:
///   - paths: Files and folders.
///   - cleanUp: What has to be ended before the files are put back.
///   - body: The test.
public func withExclusiveMachine<Value>(
    saving paths: [String], isolation: isolated (any Actor)? = #isolation,
    cleanUp: () async -> Void = {}, _ body: () async throws -> Value
) async throws -> Value {
    let lock = try await MachineLock.take()
    defer { lock.release() }
    return try await withTemporaryFolder { folder in
        for (index, path) in paths.enumerated() where exists(path) {
            try await copy(path, to: "\(folder)/\(index)")
        }
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        await cleanUp()
        for (index, path) in paths.enumerated() {
            if exists(path) { try FileManager.default.removeItem(atPath: path) }
            if exists("\(folder)/\(index)") { try await copy("\(folder)/\(index)", to: path) }
        }
        return try result.get()
    }
}

/// Whether there is something at a path, a symbolic link that leads nowhere included.
public func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
}

/// Copies with owners, modes and times.
private func copy(_ source: String, to destination: String) async throws {
    let (code, output) = try await run("cp", ["-aT", source, destination])
    guard code == 0 else { throw TestServerError("cannot keep \(source): \(output)") }
}

private struct MachineLock {
    private let descriptor: Int32

    static func take() async throws -> MachineLock {
        let thread = DedicatedThread(name: "machine-lock")
        return try await thread.run { () throws(TestServerError) -> MachineLock in
            let descriptor = open("/run/lock/libra-test-haproxy", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
            guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else {
                throw TestServerError("cannot take the lock of the machine: \(String(cString: strerror(errno)))")
            }
            return MachineLock(descriptor: descriptor)
        }
    }

    func release() { close(descriptor) }
}
