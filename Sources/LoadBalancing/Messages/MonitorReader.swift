import JSON

/// Reads the `monitor` of a balancer.
enum MonitorReader {
    static func read(_ value: JSONValue?) throws(MessageError) -> Monitor? {
        guard let value else { return nil }
        guard let object = value.object else {
            throw MessageError(.invalid, "'monitor' must be an object, not \(value.quoted)", at: .field(Field.monitor))
        }
        let reader = FieldReader(object, lead: "Monitor value ", path: "monitor.")
        for field in ["type", "delay", "timeout", "attempts"] where reader[field] == nil {
            throw missing(field)
        }
        guard let kind = try reader.word("type", as: Monitor.Kind.self) else { throw missing("type") }
        guard let delay = try reader.wholeNumber("delay", as: Seconds.self) else { throw missing("delay") }
        guard let timeout = try reader.wholeNumber("timeout", as: Seconds.self) else { throw missing("timeout") }
        guard let attempts = try reader.wholeNumber("attempts", as: Attempts.self) else { throw missing("attempts") }
        let path: CheckPath? = try reader.text(
            Field.path, mustBe: "at most 1024 printable ASCII characters without space, quotation mark, '\\' and '#'")
        guard
            let monitor = Monitor(
                kind: kind, delay: delay, timeout: timeout, attempts: attempts, path: path ?? "/")
        else {
            throw MessageError(
                .conflict, "Monitor value 'timeout' \(timeout) is above 'delay' \(delay)", at: .field("monitor.timeout")
            )
        }
        return monitor
    }

    private static func missing(_ field: String) -> MessageError {
        MessageError(.missing, "Missing monitor value '\(field)'", at: .field(Field.monitor))
    }
}
