import CivilTime
import ObjectStorage

/// One run of retention over one key's log.
struct Retention: Sendable {
    let folder: LogFolder
    /// Where cursors are that hold messages back.
    let shelves: [CursorShelf]
    let policy: RetentionPolicy

    /// How many segments are deleted at the same time.
    private static let width = 8

    func run() async throws(MessageLogError) -> RetentionReport {
        let start = try await folder.start()
        let end = try await folder.end()
        var report = RetentionReport(firstSequence: start.sequence)
        // The newest one stays: it says which numbers come next.
        var cut = start.segment
        if end.number > start.segment + 1, policy.maximumAge != nil || policy.maximumBytes != nil {
            cut = try await outdated(from: start.segment, to: end.number - 1)
        }
        if cut > start.segment, !policy.passesCursors, let (name, segment) = try await lastCursor(start, end),
            segment < cut
        {
            cut = segment
            report.heldBackBy = name
        }
        var new = start
        while cut > start.segment {
            if case .intact(let header) = try await folder.header(cut), header.firstSequence >= start.sequence {
                new = LogStart(segment: cut, sequence: header.firstSequence)
                break
            }
            // Where the log starts has to be known for certain.
            cut -= 1
        }
        report.segments = new.segment - start.segment
        report.messages = new.sequence - start.sequence
        report.firstSequence = new.sequence
        if !policy.isTrial, new.segment > start.segment { new = try await raise(start, to: new) }
        // What an earlier run did not come to is below `start` as well.
        report.bytes = try await clear(below: new.segment)
        return report
    }

    // MARK: What goes

    /// The first segment that has to stay.
    private func outdated(from first: UInt64, to end: UInt64) async throws(MessageLogError) -> UInt64 {
        let now = try await storeTime()
        let young = earlier(now, by: LogOptions.retentionMinimumAge)
        let old = policy.maximumAge.map { min(young, earlier(now, by: $0)) }
        var excess = 0
        if let limit = policy.maximumBytes {
            var sizes = SegmentListing(folder, from: first)
            while let info = try await sizes.next() { excess = excess.clampedSum(info.size) }
            excess -= max(0, limit)
        }
        var walk = SegmentListing(folder, from: first)
        var number = first
        while number < end, let info = try await walk.next() {
            guard info.modified <= young, excess > 0 || old.map({ info.modified <= $0 }) == true else { break }
            excess -= info.size
            number += 1
        }
        return number
    }

    /// The time by the store's clock: that of an object that is written now.
    private func storeTime() async throws(MessageLogError) -> UTCTime {
        let object = try folder.object("clock-\(String(folder.environment.random(), radix: 16))")
        do {
            try await folder.store.put(object, [])
            let time = try await folder.store.head(object).modified
            try await folder.store.delete(object)
            return time
        } catch {
            throw MessageLogError(error, "cannot ask \(folder.store) for its time with \(object)")
        }
    }

    private func earlier(_ time: UTCTime, by age: Duration) -> UTCTime {
        let microseconds = Int64(clamping: Int((age / .microseconds(1)).rounded(.up).clamped))
        let (difference, isTooFar) = time.microseconds.subtractingReportingOverflow(microseconds)
        return UTCTime(microseconds: isTooFar ? .min : difference)
    }

    /// The cursor that is furthest behind, and the segment that it stands in.
    private func lastCursor(
        _ start: LogStart, _ end: LogEnd
    ) async throws(MessageLogError) -> (ConsumerName, UInt64)? {
        var last: (name: ConsumerName, sequence: UInt64)?
        for shelf in shelves {
            for name in try await shelf.names() {
                guard let sequence = try await sequence(of: shelf.cursor(name)) else { continue }
                // What it stands before is gone already, or is no message of this log.
                guard start.sequence <= sequence, sequence <= end.sequence else { continue }
                if sequence < last?.sequence ?? .max { last = (name, sequence) }
            }
        }
        guard let last else { return nil }
        return (last.name, try await folder.place(ofSequence: last.sequence).segment)
    }

    /// Where a cursor of this log stands; nil when it is gone, or another log's in a folder that several use.
    private func sequence(of cursor: CursorObject) async throws(MessageLogError) -> UInt64? {
        do throws(MessageLogError) {
            return try await cursor.read()?.state.sequence
        } catch {
            guard error.code == .invalidArgument else { throw error }
            return nil
        }
    }

    // MARK: Going

    /// Writes where the log starts from now on; where somebody else has it start later, that stays.
    private func raise(_ old: LogStart, to new: LogStart) async throws(MessageLogError) -> LogStart {
        let object = try folder.object("start")
        var current = old
        while current.segment < new.segment {
            do {
                try await folder.store.put(object, new.json, if: current.tag.map { .matches($0) } ?? .absent)
                return new
            } catch {
                guard error.code == .preconditionFailed || error.code == .ambiguous else {
                    throw MessageLogError(error, "cannot write \(object)")
                }
                let found = try await folder.start()
                // Not answered, and not there: whether it comes later is nothing to wait for.
                if error.code == .ambiguous, found == current { throw MessageLogError(error, "cannot write \(object)") }
                current = found
            }
        }
        return current
    }

    /// Deletes what lies below the start, the oldest first.
    ///
    /// - Returns: How many bytes that was.
    private func clear(below start: UInt64) async throws(MessageLogError) -> Int {
        var bytes = 0
        var walk = ObjectListing(folder, prefix: "log/")
        while true {
            var some: [ObjectInfo] = []
            while some.count < Self.width, let info = try await walk.next() {
                guard let number = LogFolder.number(info.key.description.dropFirst(folder.path.count + 4)) else {
                    continue
                }
                guard number < start else { break }
                some.append(info)
            }
            guard !some.isEmpty else { return bytes }
            bytes = some.reduce(bytes) { $0.clampedSum($1.size) }
            if !policy.isTrial { try await delete(some.map(\.key)) }
        }
    }

    private func delete(_ objects: [ObjectKey]) async throws(MessageLogError) {
        let store = folder.store
        let failure = await withTaskGroup(of: ObjectStoreError?.self) { group in
            for object in objects {
                group.addTask {
                    do throws(ObjectStoreError) {
                        try await store.delete(object)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
        if let failure { throw MessageLogError(failure, "cannot delete segments of \(folder.key)") }
    }
}

extension Int {
    /// The sum, or the greatest number that there is: of sizes any may be told.
    func clampedSum(_ other: Int) -> Int {
        let (sum, isTooGreat) = addingReportingOverflow(other)
        return isTooGreat ? (other > 0 ? .max : .min) : sum
    }
}

extension Double {
    /// The whole number, or the greatest or least that there is.
    fileprivate var clamped: Int { Int(exactly: self) ?? (self < 0 ? .min : .max) }
}
