import CivilTime

/// The end of a log, as it was known at some time.
struct LogEnd: Sendable, Equatable {
    /// The number that the next segment gets.
    var number: UInt64
    /// The sequence number that the next message gets.
    var sequence: UInt64
    /// The time of the last segment.
    var time: UTCTime
    /// When the number was not used yet, by ``LogEnvironment/elapsed``.
    ///
    /// Numbers behind it were not used then, either, so it stays when somebody else turns out to have used it.
    var knownAt: Duration

    /// The end behind a segment.
    mutating func move(behind header: SegmentHeader) {
        number = header.number + 1
        sequence = header.endSequence
        time = header.time
    }
}

extension LogFolder {
    /// Finds the end of the log, with about twice the logarithm of its length of requests, and without a listing where the
    /// log has any segment.
    ///
    /// - Parameters:
    ///   - known: A segment that is there, or was.
    ///   - passesGaps: Whether the end is looked for behind segments that are missing, as nobody may who is to append there.
    /// - Returns: The end, as it was when this was called or later.
    /// - Throws: ``MessageLogError``; `corrupt` when a segment is missing that is not passed, `denied` when gaps are not
    ///   passed and the store does not let it be listed whether one is before all that is there.
    func end(behind known: UInt64 = 0, passesGaps: Bool = true) async throws(MessageLogError) -> LogEnd {
        var known = known
        while true {
            let knownAt = environment.elapsed()
            let start = try await start()
            // Segments have contiguous numbers from `start` to the end.
            var low = max(start.segment - 1, known)
            var step: UInt64 = 1
            while try await hasSegment(low + step) {
                low += step
                step = min(step * 2, SegmentHeader.numberLimit - 1 - low)
                guard step > 0 else {
                    throw MessageLogError(.corrupt, "the log of \(key) in \(store) has used up all numbers of segments")
                }
            }
            var high = low + step
            while high - low > 1 {
                let middle = low + (high - low) / 2
                if try await hasSegment(middle) { low = middle } else { high = middle }
            }
            // What retention deleted meanwhile was not there, either. It writes `start` before it deletes, so a number
            // that is not below it now was never used when it was asked for.
            guard try await self.start().segment <= high else { continue }
            // A bucket's own rules may have removed the oldest ones, however many: nothing may begin anew there, and nobody
            // who is to append may do without the listing that tells.
            switch try await lookAhead(of: high, lists: low < start.segment, needsListing: !passesGaps) {
            case .nothing: break
            case .removed: continue
            case .appended(let later):
                known = later
                continue
            case .missing(let later, _):
                guard passesGaps else { throw missing(high) }
                known = later
                continue
            }
            if low < start.segment {
                guard start.segment == 1 else {
                    throw MessageLogError(
                        .corrupt,
                        "\(try object("start")) names segment \(start.segment), which is not there: restore it, or empty "
                            + "\(path)")
                }
                return LogEnd(number: 1, sequence: 1, time: UTCTime(microseconds: 0), knownAt: knownAt)
            }
            guard let (sequence, time) = try await place(behind: low, start: start, passesGaps: passesGaps) else {
                continue
            }
            return LogEnd(number: high, sequence: sequence, time: time, knownAt: knownAt)
        }
    }

    /// The sequence number behind a segment, and the time of it or of the last one before it that tells; nil when it is
    /// gone.
    ///
    /// Behind a segment with a damaged header the log goes on with a number that is above all that the segment can have
    /// given out: so no number is used twice, and one fault of a disk does not end a log.
    func place(
        behind number: UInt64, start: LogStart, passesGaps: Bool = false
    ) async throws(MessageLogError) -> (sequence: UInt64, time: UTCTime)? {
        var skipped: UInt64 = 0
        var number = number
        while true {
            switch try await header(number) {
            case .absent:
                if try await self.start().segment > number { return nil }
                guard passesGaps else { throw missing(number) }
                skipped += 1
            case .intact(let header): return (header.endSequence + skipped, header.time)
            case .damaged(let size):
                let records = min(size - SegmentHeader.byteCount, SegmentHeader.maximumPayload)
                skipped += UInt64(max(1, records / MessageBatch.recordHeader))
            }
            guard number > start.segment else { return (start.sequence + skipped, UTCTime(microseconds: 0)) }
            number -= 1
        }
    }
}
