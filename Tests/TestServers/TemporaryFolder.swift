import FoundationEssentials
import Glibc

/// Makes a folder under `/tmp`, gives its path to `body`, and removes it with all that is in it, also when `body` throws.
public func withTemporaryFolder<Value>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (String) async throws -> Value
) async throws -> Value {
    let path = try makeTemporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Makes a folder under `/tmp`, which the caller removes.
func makeTemporaryFolder() throws(TestServerError) -> String {
    var template = Array("/tmp/libra-test-XXXXXX".utf8CString)
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
