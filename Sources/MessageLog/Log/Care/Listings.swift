import ObjectStorage

/// The objects in a log's folder, one page at a time.
struct ObjectListing {
    private let store: any ObjectStore
    private var query: ListQuery?
    private var page: ArraySlice<ObjectInfo> = []

    /// Begins a listing; nothing is asked yet.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - name: What the objects' names begin with, within the folder.
    ///   - startAfter: The name behind which it begins, within the folder.
    init(_ folder: LogFolder, prefix name: String, startAfter: String? = nil) {
        store = folder.store
        query = ListQuery(prefix: folder.path + name, startAfter: startAfter.map { folder.path + $0 })
    }

    /// The next object; nil after the last one.
    mutating func next() async throws(MessageLogError) -> ObjectInfo? {
        while page.isEmpty, var next = query {
            let found: ObjectPage
            do {
                found = try await store.list(next)
            } catch {
                throw MessageLogError(error, "cannot list '\(next.prefix)' in \(store)")
            }
            page = found.objects[...]
            next.startAfter = found.next
            query = found.next == nil ? nil : next
        }
        return page.popFirst()
    }
}

/// What is known of segments, by their numbers, without a gap; a listing that lags behind is made up for.
struct SegmentListing {
    private let folder: LogFolder
    private var number: UInt64
    private var listing: ObjectListing
    private var found: ObjectInfo?

    init(_ folder: LogFolder, from number: UInt64) {
        self.folder = folder
        self.number = number
        listing = ObjectListing(folder, prefix: "log/", startAfter: "log/" + LogFolder.name(number - 1))
    }

    /// The segment of the next number; nil when there is none.
    mutating func next() async throws(MessageLogError) -> ObjectInfo? {
        let key = try folder.segment(number)
        while found.map({ $0.key < key }) ?? true {
            guard let next = try await listing.next() else { break }
            found = next
        }
        number += 1
        if let found, found.key == key { return found }
        do {
            return try await folder.store.head(key)
        } catch {
            if error.code == .notFound { return nil }
            throw MessageLogError(error, "cannot look for \(key)")
        }
    }
}
