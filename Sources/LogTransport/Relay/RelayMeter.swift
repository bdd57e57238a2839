internal import Synchronization

/// What a relay has done so far, written by its threads and read by any other.
///
/// A thread writes once for each block of input, never for each line.
final class RelayMeter: Sendable {
    private let state = Mutex(RelayReport())
    private let start = ContinuousClock.now

    /// Writes down how things stand.
    func update(_ change: (inout RelayReport) -> Void) {
        state.withLock { change(&$0) }
    }

    /// How things stand now.
    var report: RelayReport {
        var report = state.withLock { $0 }
        report.duration = .now - start
        return report
    }
}

extension OutletCounts {
    /// Sets what an outlet has counted.
    ///
    /// - Parameters:
    ///   - report: Where it is set.
    ///   - lines: How many lines have a number up to what the outlet has acknowledged.
    func report(in report: inout RelayReport, lines: UInt64) {
        report.linesOut = lines - min(lines, missing) + ahead
        report.droppedOldest = droppedOldest
        report.droppedNewest = droppedNewest
        report.redelivered = redelivered
        report.receiversLost = receiversLost
        report.garbage = garbage
    }
}
