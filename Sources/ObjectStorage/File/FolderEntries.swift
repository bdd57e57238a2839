import Glibc

/// What is in a folder, in the order in which the file system has it.
struct FolderEntries: ~Copyable {
    struct Entry {
        /// The name; valid until the next entry is taken.
        let name: UnsafeRawBufferPointer
        private let told: FileStatus.Kind?

        init(_ entry: UnsafeMutablePointer<dirent>) {
            let place = UnsafeRawPointer(entry) + Self.nameOffset
            name = UnsafeRawBufferPointer(start: place, count: strlen(place.assumingMemoryBound(to: CChar.self)))
            told =
                switch Int(entry.pointee.d_type) {
                case Int(DT_REG): .file
                case Int(DT_DIR): .folder
                case Int(DT_LNK): .link
                case Int(DT_UNKNOWN): nil
                default: .other
                }
        }

        /// What it is; not every file system tells with the name.
        func kind(in folder: Folder) throws(FileFault) -> FileStatus.Kind? {
            if let told { return told }
            guard let name = name.baseAddress else { return nil }
            return try folder.status(of: name.assumingMemoryBound(to: CChar.self))?.kind
        }

        fileprivate var isDots: Bool { name.allSatisfy { $0 == UInt8(ascii: ".") } && name.count <= 2 }

        private static let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
    }

    private let stream: OpaquePointer

    init(_ folder: Folder) throws(FileFault) {
        // The stream takes over the descriptor that it is given, and moves its position.
        let copy = openat(folder.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw .system(lastError) }
        guard let stream = fdopendir(copy) else {
            let error = lastError
            close(copy)
            throw .system(error)
        }
        self.stream = stream
    }

    deinit { closedir(stream) }

    /// The next entry but `.` and `..`; `nil` after the last.
    mutating func next() -> Entry? {
        while let found = readdir(stream) {
            let entry = Entry(found)
            if !entry.isDots { return entry }
        }
        return nil
    }
}
