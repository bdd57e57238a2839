import Glibc

/// A regular file that is not large, as it was read.
struct SmallFile {
    let bytes: [UInt8]
    /// Whether its mode lets every user of the host read it.
    let isOpenToAll: Bool
}

/// Reads a regular file that is not large.
///
/// - Parameters:
///   - path: The file.
///   - limit: How many bytes it may have.
/// - Returns: What it has.
/// - Throws: ``FileProblem``.
func readSmallFile(_ path: String, limit: Int) throws(FileProblem) -> SmallFile {
    // A FIFO without a writer would hold up the open, and a device the reading.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw FileProblem(errno: errno) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw FileProblem(errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw FileProblem("is not a regular file") }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while bytes.count <= limit {
        let count = read(file, &buffer, buffer.count)
        if count > 0 {
            bytes += buffer[..<count]
        } else if count == 0 {
            return SmallFile(bytes: bytes, isOpenToAll: status.st_mode & S_IROTH != 0)
        } else if errno != EINTR {
            throw FileProblem(errno: errno)
        }
    }
    throw FileProblem("is larger than \(limit) bytes")
}

/// Why a file could not be read, as it completes a sentence that begins with the file's name.
struct FileProblem: Error {
    let words: String
    var isMissing = false

    init(_ words: String) { self.words = words }

    init(errno number: Int32) {
        isMissing = number == ENOENT || number == ENOTDIR
        words = isMissing ? "does not exist" : "cannot be read: \(String(cString: strerror(number)))"
    }
}
