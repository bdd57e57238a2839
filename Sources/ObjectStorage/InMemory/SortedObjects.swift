/// Objects by their keys, and the keys in the order of listings.
struct SortedObjects {
    private var objects: [ObjectKey: StoredObject] = [:]
    private var keys: [ObjectKey] = []
    private var tagsGiven: UInt64 = 0

    /// A tag that no object had yet.
    mutating func nextTag() -> EntityTag {
        tagsGiven += 1
        return EntityTag("\"\(tagsGiven)\"")
    }

    /// The object of that name; `nil` when there is none, or to have none.
    subscript(key: ObjectKey) -> StoredObject? {
        get { objects[key] }
        set {
            let isThere = objects[key] != nil
            objects[key] = newValue
            guard isThere != (newValue != nil) else { return }
            let index = firstIndex { !($0 < key) }
            if isThere { keys.remove(at: index) } else { keys.insert(key, at: index) }
        }
    }

    /// A page of a listing.
    func page(_ query: ListQuery) -> ObjectPage {
        var objects: [ObjectInfo] = []
        var folders: [String] = []
        var last: String?
        var index = firstIndex { key in
            !key.description.isListed(before: query.prefix)
                && query.startAfter.map { $0.isListed(before: key.description) } ?? true
        }
        while index < keys.count, keys[index].description.utf8.starts(with: query.prefix.utf8) {
            let key = keys[index]
            let folder = query.groupsByFolder ? key.folder(behind: query.prefix) : nil
            index = folder.map { folder in firstIndex { $0.isListed(behind: folder) } } ?? index + 1
            let name = folder ?? key.description
            guard query.startAfter.map({ $0.isListed(before: name) }) ?? true else { continue }
            if objects.count + folders.count == query.limit {
                return ObjectPage(objects: objects, folders: folders, next: last)
            }
            last = name
            if let folder { folders.append(folder) } else if let object = self[key] { objects.append(object.info) }
        }
        return ObjectPage(objects: objects, folders: folders, next: nil)
    }

    /// The first key that fits, where all behind one that fits do.
    private func firstIndex(where fits: (ObjectKey) -> Bool) -> Int {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if fits(keys[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension ObjectKey {
    /// What a listing with that prefix tells of the key as a folder: all up to the first `/` behind the prefix.
    fileprivate func folder(behind prefix: String) -> String? {
        let rest = description.utf8.dropFirst(prefix.utf8.count)
        return rest.firstIndex(of: UInt8(ascii: "/")).map { String(description[...$0]) }
    }

    /// Whether it comes after a folder and all that lies in it.
    fileprivate func isListed(behind folder: String) -> Bool {
        folder.isListed(before: description) && !description.utf8.starts(with: folder.utf8)
    }
}
