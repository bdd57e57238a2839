import CommandKit
import Glibc
import JSON
import LoadBalancing

/// Shows replies as they come.
protocol ReplyPrinter {
    mutating func print(_ reply: WorkerReply)
    /// Shows what was kept until all replies were there.
    mutating func finish()
}

/// Replies as JSON: a single one as it is, several as a line `{"worker":…,"reply":…}` each.
///
/// Why there is no reply goes to standard error, and with several workers into an `error` field as well.
struct JSONPrinter: ReplyPrinter {
    let isSingle: Bool
    private let output = Terminal.output

    init(isSingle: Bool) { self.isSingle = isSingle }

    func print(_ reply: WorkerReply) {
        let worker = JSONValue.string(reply.worker)
        switch reply.outcome {
        case .answered(let value):
            let line: JSONValue = isSingle ? value : ["worker": worker, "reply": value]
            output.write(line.bytes(pretty: isSingle && output.isTerminal), "\n")
        case .silent(let reason):
            complain("\(reply.worker): \(reason)")
            if !isSingle {
                output.write((["worker": worker, "error": .string(reason)] as JSONValue).bytes(), "\n")
            }
        }
    }

    func finish() {}
}

/// Replies as a table for people.
struct TablePrinter: ReplyPrinter {
    private var replies: [WorkerReply] = []
    private let output = Terminal.output

    mutating func print(_ reply: WorkerReply) { replies.append(reply) }

    func finish() {
        let sorted = replies.sorted { $0.worker < $1.worker }
        let hasNodes = sorted.contains { reply in
            if case .answered(let value) = reply.outcome { value["nodes"]?.array != nil } else { false }
        }
        let (columns, makeRows) =
            if sorted.contains(where: ReplyRows.hasTraffic) {
                (ReplyRows.trafficColumns, ReplyRows.traffic)
            } else if hasNodes {
                (ReplyRows.nodeColumns, ReplyRows.nodes)
            } else {
                (ReplyRows.responseColumns, ReplyRows.responses)
            }
        let rows = sorted.flatMap(makeRows)
        var table = Table(columns)
        for row in rows { table.append(row) }
        output.write(table.drawn(for: output))
    }
}

extension Terminal {
    /// Writes bytes and what ends them.
    fileprivate func write(_ bytes: [UInt8], _ end: String) {
        write(String(decoding: bytes, as: UTF8.self) + end)
    }
}
