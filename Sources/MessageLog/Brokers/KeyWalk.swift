import ObjectStorage

/// Finds keys by the folders that their words are.
struct KeyWalk: Sendable {
    let store: any ObjectStore
    /// What stands before the keys' folders, without `/` at its end; may be empty.
    let prefix: String
    /// A name behind the messages that lie in a key's own folder, so that not all of these have to be listed.
    var lastName: String?
    /// Whether a page of a folder's listing, and the path before its names, show that the folder is a key's.
    let isKey: @Sendable (_ page: ObjectPage, _ path: String) -> Bool

    /// The keys that match, in order; only folders that can lead to one are listed.
    func keys(matching pattern: RoutingPattern) async throws(MessageLogError) -> [RoutingKey] {
        // Words before the first wildcard lead straight down.
        let fixed = Array(pattern.description.split(separator: ".").prefix { $0 != "*" && $0 != "#" })
        var waiting = [fixed.map(String.init)]
        var found: [RoutingKey] = []
        while let words = waiting.popLast() {
            let (isKey, folders) = try await look(under: words)
            if isKey, let key = try? RoutingKey(words.joined(separator: ".")), pattern.matches(key) {
                found.append(key)
            }
            // What can match has these words, in upper case, and not more than a key may have.
            for folder in folders where (try? RoutingKey(folder))?.description == folder && !folder.contains(".") {
                let longer = words + [folder]
                if (try? RoutingKey(longer.joined(separator: "."))) != nil, pattern.canMatch(prefix: longer) {
                    waiting.append(longer)
                }
            }
        }
        return found.sorted()
    }

    private func look(under words: [String]) async throws(MessageLogError) -> (isKey: Bool, folders: [String]) {
        let parts = (prefix.isEmpty ? [] : [prefix]) + words
        let path = parts.isEmpty ? "" : parts.joined(separator: "/") + "/"
        var query = ListQuery(prefix: path, groupsByFolder: true)
        var isKey = false
        var folders: [String] = []
        repeat {
            let page: ObjectPage
            do {
                page = try await store.list(query)
            } catch {
                throw MessageLogError(error, "cannot list '\(path)'")
            }
            isKey = isKey || self.isKey(page, path)
            folders += page.folders.map { String($0.dropFirst(path.count).dropLast()) }
            query.startAfter = page.next
            if isKey, let lastName, page.folders.isEmpty, let next = page.next, next < path + lastName {
                query.startAfter = path + lastName
            }
        } while query.startAfter != nil
        return (isKey, folders)
    }
}

extension RoutingPattern {
    /// Whether a key that begins with these words, and goes on or not, can match.
    func canMatch(prefix words: [String]) -> Bool {
        var rest = words[...]
        for part in description.split(separator: ".") {
            guard let word = rest.first else { return true }
            if part == "#" { return true }
            guard part == "*" || part == word else { return false }
            rest = rest.dropFirst()
        }
        return rest.isEmpty
    }
}
