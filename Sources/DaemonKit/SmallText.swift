import Glibc

/// The text of a file of the kernel's, or of another small one; nil when it cannot be read.
func readSmallText(_ path: String, limit: Int = 65_536) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return readSmallText(file, limit: limit)
}

/// The text that is left in a descriptor.
func readSmallText(_ descriptor: Int32, limit: Int = 65_536) -> String? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while bytes.count < limit {
        let count = retrying { read(descriptor, &buffer, buffer.count) }
        if count == 0 { break }
        guard count > 0 else { return nil }
        bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// The names in a folder, without `.` and `..`; none when it cannot be read.
func folderEntries(_ path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        // A record may be shorter than its type: the name is read where it lies, not from a copy.
        let name = UnsafeRawPointer(entry).advanced(by: MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
        names.append(String(cString: name.assumingMemoryBound(to: CChar.self)))
    }
    return names.filter { $0 != "." && $0 != ".." }
}
