import CivilTime
import ObjectStorage

/// The messages of one key in the legacy layout.
struct LegacyFolder: Sendable {
    /// Where they are.
    let base: LogFolder
    /// How they are named.
    let names: LegacyNames

    var key: RoutingKey { base.key }

    /// A message that is listed.
    struct Entry: Sendable, Hashable {
        let name: String
        let time: UTCTime
        let size: Int
    }

    /// A part of a listing.
    struct Page: Sendable {
        let entries: [Entry]
        /// The last name that the page may have told of, whatever it is; `nil` when the page is the last one.
        let end: String?
        /// The latest time that an object of the page was written at, by the store's clock.
        let modified: UTCTime?
    }

    /// Lists messages behind a name; objects of other names are left out.
    func list(after name: String) async throws(MessageLogError) -> Page {
        let query = ListQuery(
            prefix: base.path, startAfter: name.isEmpty ? nil : base.path + name, groupsByFolder: true)
        let page: ObjectPage
        do {
            page = try await base.store.list(query)
        } catch {
            throw MessageLogError(error, "cannot list the messages of \(key)")
        }
        let entries = page.objects.compactMap { object -> Entry? in
            let name = self.name(in: object.key.description)
            return names.time(of: name).map { Entry(name: name, time: $0, size: object.size) }
        }
        return Page(
            entries: entries, end: page.next.map { self.name(in: $0) },
            modified: page.objects.map(\.modified).max())
    }

    /// What stands behind the folder in an object's name.
    private func name(in object: String) -> String {
        String(decoding: object.utf8.dropFirst(base.path.utf8.count), as: UTF8.self)
    }

    /// Where reading begins.
    ///
    /// - Parameters:
    ///   - start: Where that is.
    ///   - now: The time, where it matters: all that is there then is before the end.
    ///   - lookBack: How late a message may turn up, in microseconds.
    /// - Returns: What has to count as handled.
    /// - Throws: ``MessageLogError``; `unsupported` for a number.
    func progress(
        at start: ReaderOptions.Start, now: UTCTime, lookBack: Int64
    ) async throws(MessageLogError) -> LegacyProgress {
        switch start {
        case .beginning: return LegacyProgress()
        case .time(let time): return LegacyProgress(floor: names.name(of: UTCTime(microseconds: time.microseconds - 1)))
        case .end:
            let floor = names.name(of: UTCTime(microseconds: now.microseconds - lookBack))
            var progress = LegacyProgress(floor: floor)
            while try await !progress.add(list(after: progress.next), names: names, lookBack: lookBack) {}
            return LegacyProgress(floor: floor, handled: Set(progress.listed.map(\.name)))
        case .sequence(let number):
            throw MessageLogError(
                .unsupported,
                "there is no message \(number) of \(key) to begin with: the legacy layout has no numbers; name a time")
        }
    }

    /// Reads a message; `nil` when it has been deleted.
    func read(_ entry: Entry) async throws(MessageLogError) -> Message? {
        guard let stored = try await base.read(try base.object(entry.name)) else { return nil }
        return Message(key: key, body: stored.bytes[...], time: entry.time, position: .name(entry.name))
    }
}
