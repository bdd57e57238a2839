import CommandKit
import LogBroadcast
import Logging

/// What each machine logs: counted as records come, drawn as a table.
struct MachineTable {
    private struct Row {
        var records = 0
        var warnings = 0
        var errors = 0
        var missed: UInt64 = 0
        var recordsBefore = 0
        var rate = 0.0
        var last = ""
    }

    /// How many machines are kept; those that were silent the longest make room.
    static let capacity = 1000
    /// How many characters of a name and of an error are kept: whoever sends can send long ones.
    private static let longestText = 255

    private var rows: [String: Row] = [:]
    private var silence: [String: Int] = [:]

    /// Counts a record.
    mutating func count(_ record: LogRecord) {
        update(record.machine) { row in
            row.records += 1
            if record.level == .warning { row.warnings += 1 }
            if record.level >= .error {
                row.errors += 1
                row.last = Self.shortened(record.message)
            }
        }
    }

    /// Counts records that did not come.
    mutating func count(missed: UInt64, of machine: String) {
        update(machine) { $0.missed &+= missed }
    }

    /// Works out how many records came a second since the last time.
    ///
    /// - Parameter duration: How long that is.
    mutating func tick(after duration: Duration) {
        let seconds = max(Double(duration / .milliseconds(1)) / 1000, 0.001)
        for (machine, var row) in rows {
            let new = row.records - row.recordsBefore
            row.rate = Double(new) / seconds
            row.recordsBefore = row.records
            rows[machine] = row
            silence[machine] = new == 0 ? (silence[machine] ?? 0) + 1 : 0
        }
    }

    /// The table, the busiest machine first.
    ///
    /// - Parameter limit: How many machines it may have.
    /// - Returns: The table.
    func table(limit: Int = .max) -> Table {
        var table = Table([
            Table.Column("MACHINE"), Table.Column("RECORDS/S", isRightAligned: true),
            Table.Column("RECORDS", isRightAligned: true), Table.Column("WARNINGS", isRightAligned: true),
            Table.Column("ERRORS", isRightAligned: true), Table.Column("MISSED", isRightAligned: true),
            Table.Column("LAST ERROR"),
        ])
        let sorted = rows.sorted { ($1.value.rate, $0.key) < ($0.value.rate, $1.key) }
        for (machine, row) in sorted.prefix(limit) {
            table.append([
                Table.Cell(machine), Table.Cell(rate(row.rate)), Table.Cell("\(row.records)"),
                Table.Cell("\(row.warnings)", style: row.warnings > 0 ? .yellow : nil),
                Table.Cell("\(row.errors)", style: row.errors > 0 ? .red : nil),
                Table.Cell("\(row.missed)", style: row.missed > 0 ? .yellow : nil), Table.Cell(row.last),
            ])
        }
        return table
    }

    /// How many machines there are.
    var machines: Int { rows.count }

    /// The beginning of a text; a character may be of any length, a scalar is not.
    private static func shortened(_ text: String) -> String { String(text.unicodeScalars.prefix(longestText)) }

    private mutating func update(_ name: String, _ change: (inout Row) -> Void) {
        let machine = Self.shortened(name)
        if rows[machine] == nil, rows.count >= Self.capacity,
            let quietest = silence.max(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key
        {
            rows[quietest] = nil
            silence[quietest] = nil
        }
        change(&rows[machine, default: Row()])
        if silence[machine] == nil { silence[machine] = 0 }
    }

    private func rate(_ rate: Double) -> String {
        let tenths = Int((rate * 10).rounded())
        return rate >= 100 ? "\((tenths + 5) / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
