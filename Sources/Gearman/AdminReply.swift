/// Reads the replies of a job server's text protocol.
enum AdminReply {
    /// The rows of `status`: `FUNCTION\tTOTAL\tRUNNING\tWORKERS`.
    static func functions(in reply: String) throws(GearmanError) -> [FunctionStatus] {
        var rows: [FunctionStatus] = []
        for line in lines(of: reply) {
            // From the end, for a function's name may hold a tab.
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count >= 4, let jobs = Int(fields[fields.count - 3]),
                let running = Int(fields[fields.count - 2]),
                let workers = Int(fields[fields.count - 1])
            else { throw misunderstood("status", line) }
            rows.append(
                FunctionStatus(
                    function: fields.dropLast(3).joined(separator: "\t"), jobs: jobs, running: running, workers: workers
                ))
        }
        return rows
    }

    /// The rows of `workers`: `DESCRIPTOR ADDRESS IDENTIFIER : FUNCTION FUNCTION ...`.
    static func workers(in reply: String) throws(GearmanError) -> [ConnectedWorker] {
        var rows: [ConnectedWorker] = []
        for line in lines(of: reply) {
            let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count == 4, let descriptor = Int(fields[0]), fields[3].first == ":" else {
                throw misunderstood("workers", line)
            }
            rows.append(
                ConnectedWorker(
                    descriptor: descriptor, address: String(fields[1]), identifier: String(fields[2]),
                    functions: fields[3].dropFirst().split(separator: " ").map { String($0) }))
        }
        return rows
    }

    /// The reply to `version`: `OK VERSION`.
    static func version(in reply: String) throws(GearmanError) -> String {
        let words = reply.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, words[0] == "OK" else { throw misunderstood("version", reply[...]) }
        return String(words[1])
    }

    private static func lines(of reply: String) -> [Substring] {
        var lines = reply.split(whereSeparator: \.isNewline)
        if lines.last == "." { lines.removeLast() }
        return lines
    }

    private static func misunderstood(_ command: String, _ line: Substring) -> GearmanError {
        GearmanError(
            .protocolViolation, "the reply to '\(command)' is not what a Gearman job server says: '\(line.prefix(200))'"
        )
    }
}
