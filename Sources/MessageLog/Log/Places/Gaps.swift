import ObjectStorage

/// Telling a segment that is missing from the end of a log, and from one that retention has removed.
///
/// Segments are put one behind the other, and nobody puts one before the one before it is there. So where one is not, and
/// a later one is, it was there and was taken away: by retention, which says so in `start` first, or by somebody else.
extension LogFolder {
    /// What is behind a segment that is not there.
    enum Outlook: Sendable, Equatable {
        /// Nothing that was looked for: it is the end of the log, as far as is known.
        case nothing
        /// It has been appended meanwhile, and so has the later one of this number.
        case appended(UInt64)
        /// Retention has removed it.
        case removed(LogStart)
        /// It is missing, and the later one of this number is there: the next one there is, as far as a listing tells, or
        /// just any.
        case missing(UInt64, isNext: Bool)
    }

    /// How far ahead is looked.
    ///
    /// A gap is found when one of these lies behind it, as with one that four times as many segments follow.
    private static let distances: [UInt64] = [1, 4, 16, 64, 256]

    /// Looks behind a segment that is not there, with five requests at the same time, and two more when something is.
    ///
    /// - Parameters:
    ///   - number: The segment's number.
    ///   - lists: Whether to ask for a listing where these found nothing, so that no gap is taken for the end: it takes a
    ///     page, which is empty at the end of a log.
    ///   - needsListing: Whether it is an error when the store does not let it be listed, rather than the end of a log.
    /// - Returns: What is there.
    /// - Throws: ``MessageLogError``.
    func lookAhead(
        of number: UInt64, lists: Bool, needsListing: Bool = false
    ) async throws(MessageLogError) -> Outlook {
        let numbers = Self.distances.map { number + $0 }.filter { $0 < SegmentHeader.numberLimit }
        let answers = await results(of: numbers) { number throws(MessageLogError) in try await hasSegment(number) }
        var later: UInt64?
        for (number, answer) in zip(numbers, answers) where try answer.get() { later = number }
        let isListed = later == nil && lists
        if isListed {
            later = try await needsListing ? nextNumber(behind: number) : listedNumber(behind: number)
        }
        guard let later else { return .nothing }
        if try await hasSegment(number) { return .appended(later) }
        let start = try await start()
        return start.segment > number ? .removed(start) : .missing(later, isNext: isListed)
    }

    /// The number of the first segment behind a number, by a listing; nil when there is none.
    func nextNumber(behind number: UInt64) async throws(MessageLogError) -> UInt64? {
        var listing = ObjectListing(self, prefix: "log/", startAfter: "log/" + Self.name(number))
        while let info = try await listing.next() {
            if let next = Self.number(info.key.description.dropFirst(path.count + 4)) { return next }
        }
        return nil
    }

    /// The same for those who can do without, as where a store lets them read and not list.
    private func listedNumber(behind number: UInt64) async throws(MessageLogError) -> UInt64? {
        do throws(MessageLogError) {
            return try await nextNumber(behind: number)
        } catch {
            guard error.code == .denied else { throw error }
            return nil
        }
    }

    /// Makes sure that a segment which has to be there is not because retention has removed it.
    ///
    /// - Throws: ``MessageLogError`` with the code `corrupt` when it is missing.
    func checkRemoved(_ number: UInt64) async throws(MessageLogError) {
        guard try await start().segment > number else { throw missing(number) }
    }

    func missing(_ number: UInt64) -> MessageLogError {
        MessageLogError(
            .corrupt,
            "segment \(number) of \(key) is missing in \(store), and later ones are there: restore "
                + "\(path)log/\(Self.name(number)) from a copy, or have consumers skip what is corrupt")
    }
}
