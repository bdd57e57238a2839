import CivilTime
import ObjectStorage

/// What is wrong with a log.
public struct LogFinding: Sendable, Hashable, CustomStringConvertible {
    /// The object that it is about.
    public let object: String
    /// What is wrong with it.
    public let fault: String
    /// Whether messages are lost or cannot be read; otherwise it is untidy, no more.
    public let isSerious: Bool

    /// The object, and what is wrong with it.
    public var description: String { "\(object): \(fault)" }
}

/// What verifying a log has come to.
public struct VerificationReport: Sendable, Hashable {
    /// How many segments were read.
    public var segments: UInt64 = 0
    /// How many messages they have, those of damaged segments not counted.
    public var messages: UInt64 = 0
    /// How many bytes they have.
    public var bytes = 0
    /// How many segments there were to be read when it began.
    public var expectedSegments: UInt64 = 0
    /// How many findings were serious.
    public var seriousFindings = 0
    /// How many were not.
    public var otherFindings = 0
}

extension LogBroker {
    /// Reads all of a key's log, and checks every checksum, number, sequence and time.
    ///
    /// Memory does not depend on how long the log is. What is appended meanwhile is read, too.
    ///
    /// - Parameters:
    ///   - key: Whose log.
    ///   - progress: Called after each segment.
    ///   - finding: Called for each finding.
    /// - Returns: What it came to.
    /// - Throws: ``MessageLogError`` when the log cannot be read at all.
    public func verify(
        _ key: RoutingKey, progress: (VerificationReport) async -> Void = { _ in },
        finding: (LogFinding) async -> Void
    ) async throws(MessageLogError) -> VerificationReport {
        let folder = try folder(of: key)
        var verification = Verification(
            folder: folder, shelf: try shelf(of: folder, in: nil), limit: options.readAheadBytes)
        return try await verification.run(progress: progress, finding: finding)
    }
}

/// One walk through a log.
private struct Verification {
    let folder: LogFolder
    let shelf: CursorShelf
    let limit: Int
    private var report = VerificationReport()

    init(folder: LogFolder, shelf: CursorShelf, limit: Int) {
        self.folder = folder
        self.shelf = shelf
        self.limit = limit
    }

    typealias Listener = (LogFinding) async -> Void

    mutating func run(
        progress: (VerificationReport) async -> Void, finding: Listener
    ) async throws(MessageLogError) -> VerificationReport {
        var start = try await folder.start()
        let end = try await folder.end()
        report.expectedSegments = end.number - min(start.segment, end.number)
        let ahead = ReadAhead(folder, limit: limit)
        var number = start.segment
        var sequence = (least: start.sequence, isExact: true)
        var time: UTCTime?
        walk: while true {
            let object = try folder.segment(number).description
            switch try await ahead.fetch(number) {
            case .absent:
                let moved = try await folder.start()
                if moved.segment > number {
                    start = moved
                    (number, sequence) = (moved.segment, (moved.sequence, true))
                    continue walk
                }
                guard let next = try await folder.nextNumber(behind: number) else { break walk }
                // It may have been appended since.
                guard try await !folder.hasSegment(number) else { continue walk }
                let fault = next == number + 1 ? "it is missing" : "it is missing, and so are all before \(next)"
                await tell(LogFinding(object: object, fault: fault, isSerious: true), finding)
                (number, sequence.isExact) = (next, false)
                continue walk
            case .damaged(let header, let reason):
                await tell(LogFinding(object: object, fault: reason, isSerious: true), finding)
                sequence = header.map { ($0.endSequence, true) } ?? (sequence.least, false)
            case .segment(let segment):
                let header = segment.header
                let first = header.firstSequence
                if sequence.isExact ? first != sequence.least : first < sequence.least {
                    let fault = "its first message is \(first), and \(sequence.least) was expected"
                    await tell(LogFinding(object: object, fault: fault, isSerious: true), finding)
                }
                if let time, header.time < time {
                    let fault = "its time, \(header.time), is before that of the segment before it, \(time)"
                    await tell(LogFinding(object: object, fault: fault, isSerious: false), finding)
                }
                if let latest = segment.latest, latest > header.time {
                    let fault = "its time, \(header.time), is before that of a message in it, \(latest)"
                    await tell(LogFinding(object: object, fault: fault, isSerious: false), finding)
                }
                (sequence, time) = ((header.endSequence, true), header.time)
                report.messages += UInt64(header.count)
                report.bytes += SegmentHeader.byteCount + header.payloadBytes
            }
            report.segments += 1
            number += 1
            await progress(report)
        }
        try await checkNames(start: start.segment, finding)
        try await checkCursors(start: start.sequence, end: sequence.least, finding)
        return report
    }

    private mutating func tell(_ found: LogFinding, _ finding: Listener) async {
        if found.isSerious { report.seriousFindings += 1 } else { report.otherFindings += 1 }
        await finding(found)
    }

    /// Looks for what is in the folder of segments and is none that counts.
    private mutating func checkNames(start: UInt64, _ finding: Listener) async throws(MessageLogError) {
        var listing = ObjectListing(folder, prefix: "log/")
        while let info = try await listing.next() {
            let object = info.key.description
            guard let number = LogFolder.number(object.dropFirst(folder.path.count + 4)) else {
                await tell(LogFinding(object: object, fault: "it is no segment", isSerious: false), finding)
                continue
            }
            if number < start {
                let fault = "it is below the log's start: the next retention removes it"
                await tell(LogFinding(object: object, fault: fault, isSerious: false), finding)
            }
        }
    }

    private mutating func checkCursors(
        start: UInt64, end: UInt64, _ finding: Listener
    ) async throws(MessageLogError) {
        for name in try await shelf.names() {
            let cursor = try shelf.cursor(name)
            let object = cursor.object.description
            do throws(MessageLogError) {
                guard let sequence = try await cursor.read()?.state.sequence else { continue }
                if sequence < start {
                    let fault = "it stands at message \(sequence), and the oldest is \(start)"
                    await tell(LogFinding(object: object, fault: fault, isSerious: false), finding)
                } else if sequence > end {
                    let fault = "it stands at message \(sequence), and the log ends before \(end)"
                    await tell(LogFinding(object: object, fault: fault, isSerious: true), finding)
                }
            } catch {
                guard error.code == .corrupt || error.code == .invalidArgument else { throw error }
                await tell(LogFinding(object: object, fault: error.message, isSerious: true), finding)
            }
        }
    }
}
