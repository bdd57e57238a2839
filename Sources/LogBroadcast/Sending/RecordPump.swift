import Logging

/// What makes records ready to be sent: takes them out of the buffer, writes them as JSON, and puts them into the outbox.
struct RecordPump: Sendable {
    private let buffer: RecordBuffer
    private let transport: any BroadcastTransport
    private let machine: String
    private let pid: Int

    init(from buffer: RecordBuffer, over transport: any BroadcastTransport, machine: String, pid: Int) {
        self.buffer = buffer
        self.transport = transport
        self.machine = machine
        self.pid = pid
    }

    /// Works until the buffer is closed and all is sent, or the outbox is abandoned; blocks its thread.
    ///
    /// - Returns: The records that were neither sent nor told of as dropped.
    func run() -> UnsentRecords {
        let outbox = transport.outbox
        while true {
            let batch = buffer.next()
            var bodies = batch.records.map { Outbox.Body(bytes: $0.json) }
            if batch.dropped > 0 {
                bodies.insert(Outbox.Body(bytes: notice(of: batch.dropped).json, weight: Int(batch.dropped)), at: 0)
            }
            if !bodies.isEmpty {
                guard outbox.append(bodies) else {
                    return outbox.unsent + (batch.records.count + Int(batch.dropped) + rest)
                }
                transport.wake()
            }
            if batch.isLast {
                let unsent = outbox.waitUntilDone()
                return unsent + rest
            }
        }
    }

    private var rest: Int {
        let rest = buffer.counts
        return rest.waiting + Int(rest.dropped)
    }

    /// The record that says how many were dropped.
    ///
    /// It has no number: those of the dropped ones are missing.
    private func notice(of dropped: UInt64) -> LogRecord {
        var record = LogRecord(
            .warning, "\(dropped) log records of this process were dropped: it could not send them fast enough",
            machine: machine, logger: "libra.broadcast")
        record.pid = pid
        record.metadata = ["dropped": "\(dropped)"]
        return record
    }
}
