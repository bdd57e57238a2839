import Glibc

/// The way through a store's folders in the order of keys, to the end of a page.
///
/// A folder is read once for each page and only as many of its names are kept as the page can have, so that what is in
/// memory does not depend on how many objects there are.
struct ListingWalk {
    private let groupsByFolder: Bool
    private let limit: Int
    private let start: [UInt8]?
    private var objects: [ObjectInfo] = []
    private var folders: [String] = []
    private var last: String?
    private var isOver = false

    /// Walks from the root on.
    static func page(_ query: ListQuery, in tree: FileTree) throws(FileFault) -> ObjectPage {
        var walk = ListingWalk(query)
        let prefix = Array(query.prefix.utf8)
        let end = prefix.lastIndex(of: ListingName.slash).map { $0 + 1 } ?? 0
        if let folder = try folder(String(decoding: prefix[..<end], as: UTF8.self), in: tree) {
            try walk.visit(folder, Array(prefix[..<end]), beginning: Array(prefix[end...]), isRoot: end == 0)
        }
        return ObjectPage(
            objects: walk.objects, folders: walk.folders, next: walk.isOver ? walk.last : nil)
    }

    private init(_ query: ListQuery) {
        groupsByFolder = query.groupsByFolder
        limit = query.limit
        start = query.startAfter.map { Array($0.utf8) }
    }

    /// The folder that all keys with the prefix lie in; `nil` when there is none.
    private static func folder(_ prefix: String, in tree: FileTree) throws(FileFault) -> Folder? {
        if prefix.isEmpty { return try tree.root() }
        // The prefix ends with a slash, and what is no key with any name behind it is none with others.
        guard let key = try? ObjectKey(prefix + "x"), !key.isReserved else { return nil }
        do throws(FileFault) {
            return try tree.folders(of: KeyPath(key))?.last
        } catch {
            if case .notFound = error.asReading { return nil }
            if case .link = error { return nil }
            throw error
        }
    }

    /// Adds what is in a folder to the page.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - path: The beginning that its keys have in common, empty or with a slash at the end.
    ///   - beginning: What names in it have to begin with.
    ///   - isRoot: Whether it is the store's root.
    /// - Throws: ``FileFault``.
    private mutating func visit(
        _ folder: Folder, _ path: [UInt8], beginning: [UInt8] = [], isRoot: Bool = false
    ) throws(FileFault) {
        var place: Place?
        if let start {
            if start.starts(with: path) {
                place = Place(bytes: Array(start[path.count...]), isBehindInner: groupsByFolder)
            } else if path.lexicographicallyPrecedes(start) {
                return
            }
        }
        var isMore = true
        while isMore, !isOver {
            // One more than fits tells that there is another page.
            var names = FirstNames(limit: limit - objects.count - folders.count + 1)
            try read(folder, beginning, place, isRoot: isRoot, into: &names)
            isMore = names.leftOut
            let sorted = names.sorted
            for name in sorted where !isOver { try add(name, in: folder, path) }
            place = sorted.last.map { Place(bytes: $0.bytes, isBehindInner: true) }
        }
    }

    /// Where in a folder a listing goes on.
    private struct Place {
        let bytes: [UInt8]
        /// Whether it is behind all that is in the folder that it lies in or names, too.
        let isBehindInner: Bool

        /// Whether an object, or something in a folder, can come behind the place.
        func isPassed(by name: UnsafeRawBufferPointer, isFolder: Bool) -> Bool {
            bytes.withUnsafeBytes { bytes in
                if ListingName.order(name, isFolder: isFolder, bytes) > 0 { return true }
                return isFolder && !isBehindInner && bytes.count > name.count && bytes[name.count] == ListingName.slash
                    && bytes.starts(with: name)
            }
        }
    }

    private func read(
        _ folder: Folder, _ beginning: [UInt8], _ place: Place?, isRoot: Bool, into names: inout FirstNames
    ) throws(FileFault) {
        var entries = try FolderEntries(folder)
        while let entry = entries.next() {
            guard entry.name.starts(with: beginning) else { continue }
            let kind = try entry.kind(in: folder)
            guard kind == .file || kind == .folder else { continue }
            if isRoot, entry.name.elementsEqual(Workspace.name.utf8) { continue }
            guard place?.isPassed(by: entry.name, isFolder: kind == .folder) ?? true else { continue }
            names.offer(entry.name, isFolder: kind == .folder)
        }
    }

    private mutating func add(_ name: ListingName, in folder: Folder, _ path: [UInt8]) throws(FileFault) {
        guard let fileName = name.fileName else { return }
        let full = String(decoding: path + name.bytes, as: UTF8.self)
        guard name.isFolder else {
            // What was removed since the folder was read is not there any more.
            guard let key = try? ObjectKey(full), let status = try folder.status(of: fileName), status.kind == .file
            else { return }
            return take(full) { $0.objects.append(status.info(of: key)) }
        }
        guard let inner = try folder.folderIfAny(fileName) else { return }
        guard groupsByFolder else { return try visit(inner, path + name.bytes) }
        guard try Self.hasObjects(inner) else { return }
        take(full) { $0.folders.append(full) }
    }

    private mutating func take(_ name: String, _ append: (inout ListingWalk) -> Void) {
        guard objects.count + folders.count < limit else {
            isOver = true
            return
        }
        append(&self)
        last = name
    }

    /// Whether there is an object in a folder, or in one in it.
    private static func hasObjects(_ folder: Folder) throws(FileFault) -> Bool {
        var inner: [String] = []
        var entries = try FolderEntries(folder)
        while let entry = entries.next() {
            let kind = try entry.kind(in: folder)
            let isFolder = kind == .folder
            guard isFolder || kind == .file, let name = ListingName(entry.name, isFolder: isFolder).fileName
            else { continue }
            if !isFolder { return true }
            inner.append(name)
        }
        for name in inner {
            if let next = try folder.folderIfAny(name), try hasObjects(next) { return true }
        }
        return false
    }
}

extension Folder {
    /// Opens a folder in this one that was there a moment ago; `nil` when it is not, or something else is.
    fileprivate func folderIfAny(_ name: String) throws(FileFault) -> Folder? {
        do throws(FileFault) {
            return try folder(name)
        } catch {
            switch error {
            case .link, .object, .notRegular, .unsettled: return nil
            default: throw error
            }
        }
    }
}
