import FoundationEssentials
import Glibc

/// Makes a folder under `/tmp`, gives its path to `body`, and removes it with all that is in it, also when `body` throws.
///
/// - Parameters:
///   - inMemory: Whether it is better in `/dev/shm`, where writing to the disk takes no time.
///   - isolation: The caller's, so that `body` may use what the caller may.
///   - body: Gets the path.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws, or ``TestServerError`` when there is no folder.
public func withTemporaryFolder<Value>(
    inMemory: Bool = false, isolation: isolated (any Actor)? = #isolation,
    _ body: (String) async throws -> Value
) async throws -> Value {
    let path = try makeTemporaryFolder(in: inMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Makes a folder under `/tmp`, or another one, which the caller removes.
func makeTemporaryFolder(in parent: String = "/tmp") throws(TestServerError) -> String {
    var template = Array("\(parent)/libra-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw TestServerError("mkdtemp: \(String(cString: strerror(errno)))") }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // Children that run as another user have to reach what the test puts here.
    chmod(path, 0o755)
    return path
}

/// What went wrong with a server that a test wanted to start.
public struct TestServerError: Error, CustomStringConvertible {
    /// What happened, with the server's own output where there is any.
    public let description: String

    /// Creates an error.
    public init(_ description: String) { self.description = description }
}
