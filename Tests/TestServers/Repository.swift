import Glibc

/// Where the built executables and the sources are.
public enum Repository {
    /// The folder of the sources, from the path of this file when it was compiled.
    public static let folder: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/")
    }()

    /// A file of the sources.
    public static func file(_ path: String) -> String { "\(folder)/\(path)" }

    /// A built executable: it stands beside the running test bundle.
    ///
    /// - Parameter name: `libra_worker`, for instance.
    /// - Returns: Its path.
    public static func executable(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/\(name)"
    }
}
