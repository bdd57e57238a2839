public import SystemPackage

/// Where a spool is, how much it may hold, and what it promises.
public struct SpoolOptions: Sendable {
    /// The directory that holds the spool's files; it is made when it is missing, the one above it has to be there.
    public var directory: FilePath
    /// How many bytes the spool's files may take together; at least ``minimumLimit``, 1 GiB by default.
    public var limit: Int
    /// How large a file of the spool grows, in bytes; room is given back one file at a time.
    ///
    /// It is at least 16 KiB and at most a quarter of ``limit``. By default it is 16 MiB, less for a small limit.
    public var segmentSize: Int
    /// When what is written is made to survive a loss of power.
    public var sync: SyncPolicy
    /// What becomes of records for which there is no room.
    public var whenFull: WhenFull

    /// The longest record that any spool takes, in bytes: 16 MiB less one.
    package static let longestRecord = Record.maximumCount

    /// The smallest limit: 64 KiB.
    public static let minimumLimit = 64 << 10

    /// Describes a spool.
    ///
    /// - Parameters:
    ///   - directory: The directory that holds the spool's files.
    ///   - limit: How many bytes they may take together.
    ///   - segmentSize: How large one of them grows, in bytes; nil for the default.
    ///   - sync: When what is written is made to survive a loss of power.
    ///   - whenFull: What becomes of records for which there is no room.
    public init(
        directory: FilePath, limit: Int = 1 << 30, segmentSize: Int? = nil,
        sync: SyncPolicy = .interval(.milliseconds(5)), whenFull: WhenFull = .block
    ) {
        self.directory = directory
        self.limit = limit
        self.segmentSize = segmentSize ?? min(16 << 20, max(limit / 8, 16 << 10))
        self.sync = sync
        self.whenFull = whenFull
    }

    /// The longest record that this spool takes, in bytes: an eighth of ``limit``, and never more than 16 MiB less one.
    ///
    /// A record is never divided, so that it has to fit well into the room that there is.
    public var maximumRecord: Int { min(limit / 8, Record.maximumCount) }

    func check() throws(SpoolError) {
        guard limit >= Self.minimumLimit else {
            throw SpoolError(
                .invalidArgument, "a spool's limit is at least \(Self.minimumLimit) bytes, not \(limit): name more")
        }
        guard segmentSize >= 16 << 10, segmentSize <= limit / 4 else {
            throw SpoolError(
                .invalidArgument,
                "a segment has 16384 bytes up to a quarter of the spool's limit (\(limit / 4)), not \(segmentSize)")
        }
        if case .interval(let interval) = sync, interval < .milliseconds(1) || interval > .seconds(3600) {
            throw SpoolError(
                .invalidArgument, "between syncs are 1 ms up to an hour, not \(interval): use always, or more")
        }
    }
}
