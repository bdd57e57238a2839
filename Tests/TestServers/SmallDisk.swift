import Glibc

/// A file system of a few hundred kilobytes in memory, for the faults of a full disk; mounting it needs root.
public struct SmallDisk: Sendable {
    /// Where it is mounted.
    public let path: String

    private var filler: String { path + "/filler" }

    /// Takes all room that is left.
    public func fill() throws {
        let descriptor = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestServerError("cannot fill \(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        let block = [UInt8](repeating: 0, count: 4096)
        while write(descriptor, block, block.count) > 0 {}
    }

    /// Lets nobody write there any more, or everybody again.
    public func setReadOnly(_ isReadOnly: Bool) throws {
        let flags = UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0)
        guard mount("tmpfs", path, "tmpfs", flags, nil) == 0 else {
            throw TestServerError("cannot mount \(path) anew: \(String(cString: strerror(errno)))")
        }
    }

    /// Gives back what ``fill()`` took.
    public func empty() { unlink(filler) }
}

/// Mounts a small disk, gives it to `body`, and unmounts it, also when `body` throws.
public func withSmallDisk<Value>(
    kilobytes: Int = 512,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (SmallDisk) async throws -> Value
) async throws -> Value {
    try await withTemporaryFolder { folder in
        let path = folder + "/disk"
        guard mkdir(path, 0o755) == 0, mount("tmpfs", path, "tmpfs", 0, "size=\(kilobytes)k") == 0 else {
            throw TestServerError("cannot mount a small disk (root may): \(String(cString: strerror(errno)))")
        }
        // What still has a file open there keeps it alive for itself only.
        defer { umount2(path, Int32(MNT_DETACH)) }
        return try await body(SmallDisk(path: path))
    }
}
