import CivilTime
import Glibc

/// What the file system tells of a file.
struct FileStatus {
    enum Kind {
        case file, folder, link, other
    }

    let kind: Kind
    let size: Int
    private let number: UInt64
    private let modified: timespec

    init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .folder
        case S_IFLNK: kind = .link
        default: kind = .other
        }
        size = Int(status.st_size)
        number = UInt64(status.st_ino)
        modified = status.st_mtim
    }

    /// The tag of what the file holds.
    ///
    /// Files are never written to once they have a key's name, and the time in nanoseconds is set by ``WriteTime``, so
    /// that the next file to get the number of one that was removed has another tag.
    var tag: EntityTag {
        // A time that does not fit, of the year 2262 or later, makes as good a tag.
        let nanoseconds = Int64(modified.tv_sec) &* 1_000_000_000 &+ Int64(modified.tv_nsec)
        return EntityTag(
            "\"" + String(number, radix: 16) + "-" + String(nanoseconds, radix: 16) + "-" + String(size, radix: 16)
                + "\"")
    }

    /// What the store tells of the object.
    func info(of key: ObjectKey) -> ObjectInfo {
        let seconds = min(max(Int64(modified.tv_sec), -1 << 40), 1 << 40)
        let microseconds = seconds * 1_000_000 + Int64(modified.tv_nsec) / 1000
        return ObjectInfo(key: key, size: size, tag: tag, modified: UTCTime(microseconds: microseconds))
    }
}
