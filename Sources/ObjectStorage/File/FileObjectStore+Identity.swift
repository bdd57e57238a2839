import Glibc
import SystemPackage

extension FileObjectStore {
    /// Whether another store is in the same folder, by whatever names: with links, `..`, or a mount.
    ///
    /// A folder that is not there yet is nobody else's.
    package func isSameFolder(as other: FileObjectStore) -> Bool {
        guard let one = identity, let two = other.identity else { return false }
        return one.device == two.device && one.number == two.number
    }

    private var identity: (device: UInt64, number: UInt64)? {
        var status = stat()
        guard tree.path.withPlatformString({ stat($0, &status) }) == 0 else { return nil }
        return (UInt64(status.st_dev), UInt64(status.st_ino))
    }
}
