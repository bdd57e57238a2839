import CivilTime

/// An answer to ListObjectsV2 (Amazon S3 API Reference).
struct S3Listing {
    /// The objects whose keys can be told; others have keys that no ``ObjectKey`` has, such as `folder/`.
    private(set) var objects: [ObjectInfo] = []
    /// What keys have in common, up to and with the delimiter.
    private(set) var folders: [String] = []
    /// The last name of either kind, in the server's order: SeaweedFS has `a/b` before `a.b`, where S3 compares bytes.
    var last: String? {
        guard let object = lastObject, let folder = folders.last else { return lastObject ?? folders.last }
        return object.isListed(before: folder) ? folder : object
    }
    private var lastObject: String?
    /// With what the next part is asked for; `nil` when this is the last.
    let continuation: String?

    /// Reads an answer; `nil` for what is none.
    init?(_ body: [UInt8]) {
        guard let root = XMLElement(body), root.name == "ListBucketResult" else { return nil }
        let isEncoded = root["EncodingType"] == "url"
        func decoded(_ text: String) -> String? { isEncoded ? percentDecoded(text, plusIsSpace: true) : text }
        switch root["IsTruncated"] {
        case "true":
            guard let token = root["NextContinuationToken"], !token.isEmpty else { return nil }
            continuation = token
        case "false", nil: continuation = nil
        default: return nil
        }
        for child in root.children {
            switch child.name {
            case "Contents":
                guard let name = child["Key"].flatMap(decoded), let size = child["Size"].flatMap({ objectSize($0) }),
                    let tag = child["ETag"], let modified = child["LastModified"].flatMap({ UTCTime($0) })
                else { return nil }
                lastObject = name
                guard let key = try? ObjectKey(name) else { continue }
                objects.append(ObjectInfo(key: key, size: size, tag: EntityTag(tag), modified: modified))
            case "CommonPrefixes":
                guard let name = child["Prefix"].flatMap(decoded) else { return nil }
                folders.append(name)
            default: break
            }
        }
    }

    /// The page that this makes.
    ///
    /// - Parameter start: Behind which name it begins; a folder in which that name lies has been told before.
    /// - Returns: The page, in order.
    func page(behind start: String?) -> ObjectPage {
        let rest = folders.filter { folder in start.map { !$0.utf8.starts(with: folder.utf8) } ?? true }
        return ObjectPage(
            objects: objects.sorted { $0.key < $1.key }, folders: rest.sorted { $0.isListed(before: $1) },
            next: continuation == nil ? nil : last)
    }
}

extension ListQuery {
    /// What ListObjectsV2 is asked for.
    ///
    /// - Parameter continuation: How to go on where the last answer ended.
    /// - Returns: The parameters, not encoded.
    func parameters(continuation: String?) -> [(name: String, value: String)] {
        var parameters = [
            (name: "list-type", value: "2"), (name: "encoding-type", value: "url"),
            (name: "max-keys", value: "\(limit)"),
        ]
        if !prefix.isEmpty { parameters.append((name: "prefix", value: prefix)) }
        if groupsByFolder { parameters.append((name: "delimiter", value: "/")) }
        if let continuation {
            parameters.append((name: "continuation-token", value: continuation))
        } else if let start = firstAsked {
            parameters.append((name: "start-after", value: start))
        }
        return parameters
    }

    /// Where the server is to begin: behind a whole folder when the page begins with or in one, for the server would tell
    /// that folder again for each key in it.
    private var firstAsked: String? {
        guard let startAfter, groupsByFolder, startAfter.utf8.starts(with: prefix.utf8) else { return startAfter }
        let rest = startAfter.utf8.dropFirst(prefix.utf8.count)
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else { return startAfter }
        return startAfter[...slash] + "\u{10FFFF}"
    }
}
