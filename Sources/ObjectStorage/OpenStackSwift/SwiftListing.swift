import CivilTime
import FoundationEssentials

extension ListQuery {
    /// The parameters of a listing; one row more than a page has tells whether there is another page.
    func parameters(behind marker: String?) -> [(name: String, value: String)] {
        var parameters = [(name: "format", value: "json"), (name: "limit", value: "\(limit + 1)")]
        if !prefix.isEmpty { parameters.append((name: "prefix", value: prefix)) }
        if let marker { parameters.append((name: "marker", value: marker)) }
        if groupsByFolder { parameters.append((name: "delimiter", value: "/")) }
        return parameters
    }
}

/// A container's listing (`format=json`).
struct SwiftListing {
    private struct Row: Decodable {
        let name: String?
        let hash: String?
        let bytes: Int?
        let last_modified: String?
        let subdir: String?

        var place: String? { subdir ?? name }
    }

    private let rows: [Row]

    /// A listing without rows.
    init() { rows = [] }

    /// Reads an answer; `nil` for what is no listing.
    init?(_ body: [UInt8]) {
        guard let rows = try? JSONDecoder().decode([Row].self, from: Data(body)) else { return nil }
        self.rows = rows
    }

    /// The page of a query that the listing is the answer to.
    func page(of query: ListQuery) -> ObjectPage {
        var objects: [ObjectInfo] = []
        var folders: [String] = []
        for row in rows.prefix(query.limit) {
            // Swift tells a folder that the listing begins within.
            if let start = query.startAfter, let place = row.place, !start.isListed(before: place) { continue }
            if let folder = row.subdir {
                folders.append(folder)
            } else if let name = row.name, let key = try? ObjectKey(name),
                let size = row.bytes.flatMap({ objectSize($0) }), let hash = row.hash,
                let modified = row.last_modified.flatMap({ UTCTime($0) })
            {
                objects.append(ObjectInfo(key: key, size: size, tag: EntityTag(hash), modified: modified))
            }
        }
        let next = rows.count > query.limit ? rows[query.limit - 1].place : nil
        return ObjectPage(objects: objects, folders: folders, next: next)
    }
}
