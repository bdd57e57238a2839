import Glibc
import SystemPackage

/// Writing, reading and deleting of objects.
extension FileTree {
    /// Writes an object, whole or not at all, and returns when it is durable.
    func write(_ key: ObjectKey, _ body: [UInt8], if condition: PutCondition) throws(FileFault) -> EntityTag {
        // What is lost already is not worth writing to the disk.
        if condition != .always { try check(condition, try status(of: key)) }
        let path = KeyPath(key)
        let workspace = try workspace()
        let file = try workspace.scratch.write(body)
        defer { workspace.scratch.remove(file.name) }
        for attempt in 0..<Self.attempts {
            Self.pause(before: attempt)
            guard let folder = try folder(for: path, condition) else { continue }
            let from = workspace.scratch.folder.descriptor
            let error: Errno?
            switch condition {
            case .absent:
                error = linkat(from, file.name, folder.descriptor, path.name, 0) == 0 ? nil : lastError
            case .always, .matches:
                error = try workspace.guarding(key, alone: condition != .always) { () throws(FileFault) in
                    if condition != .always { try check(condition, folder.status(of: path.name)) }
                    return renameat(from, file.name, folder.descriptor, path.name) == 0 ? nil : lastError
                }
            }
            switch error {
            case nil:
                try settle(folder)
                return file.status.tag
            // The folder was removed, having been empty, after it was opened.
            case .noSuchFileOrDirectory where workspace.isThere: continue
            case .fileExists where condition == .absent: throw .condition
            // The file is this process's own, so that nobody forbids it a second name.
            case .notPermitted where condition == .absent: throw .noHardLinks
            case .isDirectory: throw .folder
            case let error?: throw .system(error)
            }
        }
        throw .unsettled
    }

    /// Makes safe what was done in a folder; nobody can say whether a failure undoes it.
    private func settle(_ folder: Folder) throws(FileFault) {
        do throws(FileFault) {
            try folder.synchronize()
        } catch {
            guard case .system(let cause) = error else { throw error }
            throw .unsafe(cause)
        }
    }

    /// The folder to put an object into; `nil` when somebody removed one meanwhile.
    private func folder(for path: KeyPath, _ condition: PutCondition) throws(FileFault) -> Folder? {
        guard case .matches = condition else { return try madeFolder(of: path) }
        // What is not there cannot have the tag, and no folders are made for it.
        guard let folders = try folders(of: path) else { throw .condition }
        return folders.last
    }

    private func check(_ condition: PutCondition, _ status: FileStatus?) throws(FileFault) {
        switch (condition, status?.kind) {
        case (_, .folder): throw .folder
        case (.always, _), (.absent, nil): return
        case (.matches(let tag), .file) where status?.tag == tag: return
        default: throw .condition
        }
    }

    /// What is known of an object; `nil` when there is none.
    private func status(of key: ObjectKey) throws(FileFault) -> FileStatus? {
        let path = KeyPath(key)
        return try folders(of: path)?.last?.status(of: path.name)
    }

    /// Tells what is known of an object.
    func info(of key: ObjectKey) throws(FileFault) -> ObjectInfo {
        let status: FileStatus?
        do throws(FileFault) {
            status = try self.status(of: key)
        } catch {
            throw error.asReading
        }
        switch status?.kind {
        case .file: break
        case .link: throw .link(KeyPath(key).name)
        case .other: throw .notRegular(KeyPath(key).name)
        case .folder, nil: throw .notFound
        }
        guard let status else { throw .notFound }
        return status.info(of: key)
    }

    /// Reads an object, or a part of it.
    func read(_ key: ObjectKey, range: Range<Int>?) throws(FileFault) -> StoredObject {
        let path = KeyPath(key)
        let file: Int32
        do throws(FileFault) {
            guard let folder = try folders(of: path)?.last else { throw .notFound }
            file = try folder.file(path.name)
        } catch {
            throw error.asReading
        }
        defer { close(file) }
        var raw = stat()
        guard fstat(file, &raw) == 0 else { throw .system(lastError) }
        let status = FileStatus(raw)
        guard status.kind == .file else { throw status.kind == .folder ? .notFound : .notRegular(path.name) }
        let part = range.part(ofSize: status.size)
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: part.count) { buffer, count in
            do throws(Errno) {
                count = try readAll(file, into: UnsafeMutableRawBufferPointer(buffer), at: part.lowerBound)
            } catch {
                failure = error
            }
        }
        if let failure { throw .system(failure) }
        guard bytes.count == part.count else { throw .short }
        return StoredObject(info: status.info(of: key), bytes: bytes)
    }

    /// Deletes an object, and the folders that have nothing else in them.
    func delete(_ key: ObjectKey) throws(FileFault) {
        let path = KeyPath(key)
        let found: [Folder]?
        do throws(FileFault) {
            found = try folders(of: path)
        } catch {
            if case .notFound = error.asReading { return }
            throw error
        }
        guard let folders = found, let folder = folders.last else { return }
        let workspace = try workspace()
        let error: Errno? = try workspace.guarding(key, alone: false) { () throws(FileFault) in
            unlinkat(folder.descriptor, path.name, 0) == 0 ? nil : lastError
        }
        switch error {
        // What an earlier call deleted may not be safe yet.
        case nil, .noSuchFileOrDirectory: try settle(folder)
        // A folder of that name is no object.
        case .isDirectory: return
        case let error?: throw .system(error)
        }
        removeEmpty(folders, of: path)
    }
}

extension FileFault {
    /// What it means to who reads: where an object has the name of a folder of the key, nothing of that key can be.
    var asReading: FileFault {
        if case .object = self { return .notFound }
        return self
    }
}
