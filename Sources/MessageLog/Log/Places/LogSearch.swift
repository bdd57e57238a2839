import CivilTime

/// A place in a log where reading can begin.
struct LogPlace: Sendable, Equatable {
    /// The number of the next message, which need not be there yet.
    var sequence: UInt64
    /// A segment at or before the one that the message is in, or will be.
    var segment: UInt64
}

extension LogFolder {
    /// Finds where to begin.
    ///
    /// - Throws: ``MessageLogError``; `expired` or `invalidArgument` for a number that the log does not have, `corrupt`
    ///   when a segment is missing.
    func place(for start: ReaderOptions.Start) async throws(MessageLogError) -> LogPlace {
        switch start {
        case .beginning:
            let start = try await self.start()
            return LogPlace(sequence: start.sequence, segment: start.segment)
        case .end:
            let end = try await end()
            return LogPlace(sequence: end.sequence, segment: end.number)
        case .sequence(let sequence): return try await place(ofSequence: sequence)
        case .time(let time): return try await place(ofTime: time)
        }
    }

    /// Finds a message by its number, by halving.
    ///
    /// - Parameters:
    ///   - sequence: The message's number, at most that of the next one.
    ///   - code: What it is called when it is more.
    /// - Returns: The place.
    /// - Throws: ``MessageLogError``.
    func place(
        ofSequence sequence: UInt64, orSay code: MessageLogError.Code = .invalidArgument
    ) async throws(MessageLogError) -> LogPlace {
        while true {
            let end = try await end()
            let start = try await start()
            guard sequence >= start.sequence else { throw expired(sequence, start: start) }
            guard sequence <= end.sequence else { throw beyond(sequence, end: end.sequence, code) }
            if sequence == end.sequence { return LogPlace(sequence: sequence, segment: end.number) }
            switch try await lastSegment(from: start.segment, to: end.number, where: { $0.firstSequence <= sequence }) {
            case .found(let number): return LogPlace(sequence: sequence, segment: number)
            case .none: return LogPlace(sequence: sequence, segment: start.segment)
            case .gone: continue
            }
        }
    }

    /// Finds the first message that was sent at a time or later.
    ///
    /// A segment's time is not before that of any message in it or before it, so nothing before the first segment with
    /// that time or a later one was sent so late.
    func place(ofTime time: UTCTime) async throws(MessageLogError) -> LogPlace {
        search: while true {
            let end = try await end()
            let start = try await start()
            var number = start.segment
            switch try await lastSegment(from: start.segment, to: end.number, where: { $0.time < time }) {
            case .found(let last): number = last + 1
            case .none: break
            case .gone: continue search
            }
            while number < end.number {
                switch try await fetch(number) {
                case .segment(let segment):
                    if let sequence = segment.firstSequence(since: time) {
                        return LogPlace(sequence: sequence, segment: number)
                    }
                case .absent:
                    try await checkRemoved(number)
                    continue search
                // What cannot be read has no time, either.
                case .damaged: break
                }
                number += 1
            }
            return LogPlace(sequence: end.sequence, segment: end.number)
        }
    }

    private enum Found {
        case found(UInt64)
        case none
        /// Retention took what was looked at.
        case gone
    }

    /// The last segment of a range whose header fits, where those that fit come first; damaged ones are passed over.
    private func lastSegment(
        from first: UInt64, to end: UInt64, where fits: (SegmentHeader) -> Bool
    ) async throws(MessageLogError) -> Found {
        var (low, high) = (first, end)
        var best: UInt64?
        while low < high {
            let middle = low + (high - low) / 2
            var probe = middle
            var header: SegmentHeader?
            while header == nil {
                switch try await self.header(probe) {
                case .intact(let found): header = found
                case .absent:
                    try await checkRemoved(probe)
                    return .gone
                case .damaged: break
                }
                if header != nil || probe == low { break }
                probe -= 1
            }
            guard let header else {
                low = middle + 1
                continue
            }
            if fits(header) {
                best = probe
                low = middle + 1
            } else {
                high = probe
            }
        }
        return best.map { .found($0) } ?? .none
    }

    func beyond(_ sequence: UInt64, end: UInt64, _ code: MessageLogError.Code) -> MessageLogError {
        MessageLogError(
            code,
            "the log of \(key) in \(store) ends before message \(end), and \(sequence) was to come next: if it was emptied "
                + "and begun anew, set the cursor to its beginning (muskrat cursors set \(key) beginning)")
    }

    func expired(_ sequence: UInt64, start: LogStart) -> MessageLogError {
        MessageLogError(
            .expired,
            "message \(sequence) of \(key) in \(store) has been removed by retention; the oldest is \(start.sequence): set the "
                + "cursor to the beginning to go on there")
    }
}
