internal import Glibc
internal import Synchronization
internal import SystemPackage

/// Versions of programs that were asked, for as long as their files stay the same.
///
/// Starting `haproxy -v` takes milliseconds, and the answer changes only when the package is upgraded.
enum VersionCache {
    private static let known = Mutex<[FilePath: (identity: FileIdentity, version: Version)]>([:])

    /// The version of the program at `path`; asks it when its file is new or has changed.
    static func version(
        of path: FilePath, ask: () async throws(HAProxyError) -> Version
    ) async throws(HAProxyError) -> Version {
        let identity = FileIdentity(path)
        if let identity, let entry = known.withLock({ $0[path] }), entry.identity == identity { return entry.version }
        let version = try await ask()
        if let identity { known.withLock { $0[path] = (identity, version) } }
        return version
    }
}

/// What changes when a file is replaced or written to.
private struct FileIdentity: Equatable {
    private let device: UInt64
    private let number: UInt64
    private let size: Int64
    private let seconds: Int
    private let nanoseconds: Int

    init?(_ path: FilePath) {
        var status = stat()
        guard path.withPlatformString({ stat($0, &status) }) == 0 else { return nil }
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}
