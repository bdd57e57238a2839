import ObjectStorage

/// What came of fetching a segment.
enum FetchedSegment: Sendable {
    case absent
    case segment(Segment)
    /// It is not what was written; with its header, where that is intact.
    case damaged(SegmentHeader?, reason: String)
}

extension LogFolder {
    /// Fetches a segment and checks it.
    ///
    /// - Parameters:
    ///   - number: The segment's number.
    ///   - limit: How many bytes may be fetched; a segment that has more is `absent`.
    /// - Returns: The segment, or what is wrong with it.
    /// - Throws: ``MessageLogError``; `laterVersion` for one of a later version.
    func fetch(
        _ number: UInt64, atMost limit: Int = Segment.maximumBytes
    ) async throws(MessageLogError) -> FetchedSegment {
        var fetched = FetchedSegment.absent
        // What arrived damaged need not be so in the store.
        for _ in 0..<Self.attempts {
            fetched = try await fetchOnce(number, limit)
            guard case .damaged = fetched else { break }
        }
        return fetched
    }

    private func fetchOnce(_ number: UInt64, _ limit: Int) async throws(MessageLogError) -> FetchedSegment {
        let object = try segment(number)
        // No more than a segment can have, whatever was put there.
        guard let stored = try await read(object, range: 0..<limit) else { return .absent }
        guard stored.info.size <= Segment.maximumBytes else {
            return .damaged(nil, reason: "it has \(stored.info.size) bytes, more than any segment")
        }
        guard stored.info.size <= limit else { return .absent }
        do {
            let segment = try Segment(stored.bytes)
            guard segment.header.number == number else {
                return .damaged(nil, reason: "it says that it is segment \(segment.header.number)")
            }
            return .segment(segment)
        } catch {
            switch error {
            case .header: return .damaged(nil, reason: "its header is damaged")
            case .payload(let header, let reason):
                return .damaged(header.number == number ? header : nil, reason: reason)
            case .unknownVersion(let version): throw .unknownVersion(version, object)
            }
        }
    }
}

/// Segments that are fetched before they are asked for; it belongs to a reader's actor.
///
/// Nothing is fetched ahead at the end of a log, where it would ask for what is not there.
final class ReadAhead {
    private typealias Outcome = Result<FetchedSegment, MessageLogError>

    private let folder: LogFolder
    private let limit: Int
    private var waiting: [(number: UInt64, task: Task<Outcome, Never>)] = []
    /// How many segments were found one after the other.
    private var streak = 0

    /// How many segments are fetched at the same time at most, however small they are.
    private static let maximumWidth = 16

    init(_ folder: LogFolder, limit: Int) {
        self.folder = folder
        self.limit = limit
    }

    deinit { cancel() }

    /// A segment; those behind it begin to be fetched.
    func fetch(_ number: UInt64) async throws(MessageLogError) -> FetchedSegment {
        let fetched = try await take(number)
        guard case .segment(let segment) = fetched else {
            streak = 0
            return fetched
        }
        streak += 1
        // The first one may be the last, too.
        guard streak > 1 else { return fetched }
        let size = SegmentHeader.byteCount + segment.header.payloadBytes
        let width = min(max(1, limit / size), Self.maximumWidth, streak)
        var next = waiting.last.map { $0.number + 1 } ?? number + 1
        // So much is fetched at most even where the next segments are longer than this one.
        let share = max(limit / width, size)
        while waiting.count < width {
            let (folder, number) = (folder, next)
            let task = Task<Outcome, Never>(executorPreference: folder.environment.executor) {
                await outcome { () throws(MessageLogError) in try await folder.fetch(number, atMost: share) }
            }
            waiting.append((next, task))
            next += 1
        }
        return fetched
    }

    private func take(_ number: UInt64) async throws(MessageLogError) -> FetchedSegment {
        guard waiting.first?.number == number else {
            cancel()
            return try await folder.fetch(number)
        }
        let task = waiting.removeFirst().task
        let outcome = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        // One that was not there some time ago may be there now, a long one can be fetched alone, what failed may work.
        if case .success(let fetched) = outcome, case .segment = fetched { return fetched }
        cancel()
        return try await folder.fetch(number)
    }

    /// Drops what was fetched.
    func cancel() {
        for (_, task) in waiting { task.cancel() }
        waiting = []
        streak = 0
    }
}
