import DedicatedThread
import FoundationEssentials
import Glibc

/// Runs `body` while no other test uses what there is once on a machine: `/etc/haproxy`, `/etc/sudoers.d`, the haproxy
/// service, the default folders.
///
/// What stands at `paths` is kept and put back afterwards, also when `body` throws; what was not there is removed. After a
/// run that was killed the next one puts it back. The lock of ``withSystemHAProxy(isolation:_:)`` keeps other tests out,
/// those of other processes included.
///
/// - Parameters:
///   - paths: Files and folders.
///   - isolation: The caller's, so that the closures may use what the caller may.
///   - cleanUp: What has to be ended before the files are put back.
///   - body: The test.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws, or ``TestServerError`` when something cannot be kept or put back.
public func withExclusiveMachine<Value>(
    saving paths: [String], isolation: isolated (any Actor)? = #isolation,
    cleanUp: () async -> Void = {}, _ body: () async throws -> Value
) async throws -> Value {
    let lock = try await MachineLock.take()
    defer { lock.release() }
    if exists(SavedFiles.list) { try await SavedFiles.putBack() }
    try await SavedFiles.save(paths)
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    await cleanUp()
    try await SavedFiles.putBack()
    return try result.get()
}

/// Copies of files and folders, at a place where the next run of the tests finds them.
private enum SavedFiles {
    static let folder = "/var/tmp/libra-test-saved"
    /// The paths of what is kept; it is written last.
    static let list = folder + "/paths"

    static func save(_ paths: [String]) async throws {
        try? FileManager.default.removeItem(atPath: folder)
        guard mkdir(folder, 0o700) == 0 else { throw TestServerError("cannot make \(folder)") }
        for (index, path) in paths.enumerated() where exists(path) { try await copy(path, to: "\(folder)/\(index)") }
        try writeText(paths.joined(separator: "\n"), to: list)
    }

    static func putBack() async throws {
        for (index, path) in readText(list).split(separator: "\n").map(String.init).enumerated() {
            if exists(path) { try FileManager.default.removeItem(atPath: path) }
            if exists("\(folder)/\(index)") { try await copy("\(folder)/\(index)", to: path) }
        }
        try FileManager.default.removeItem(atPath: folder)
    }

    /// Copies with owners, modes and times.
    private static func copy(_ source: String, to destination: String) async throws {
        let (code, output) = try await run("cp", ["-aT", source, destination])
        guard code == 0 else { throw TestServerError("cannot keep \(source): \(output)") }
    }
}

/// Whether there is something at a path, a symbolic link that leads nowhere included.
public func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
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
