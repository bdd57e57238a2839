/// What `show proc` on a master's socket says: the master, its worker, and workers that finish what they have
/// (Management Guide, section 9.4).
public struct ProcessList: Hashable, Sendable {
    /// The master.
    public var master: Master
    /// The worker that serves, and any others of the master's present generation.
    public var workers: [Worker]
    /// Workers of earlier generations that finish what they have.
    public var oldWorkers: [Worker]

    /// A master process.
    public struct Master: Hashable, Sendable {
        /// Its process id.
        public var processID: Int32
        /// How often it was reloaded.
        public var reloads: Int
        /// How many reloads in a row failed: it then goes on with the workers it has.
        public var failedReloads: Int
        /// Its version.
        public var version: String
    }

    /// A worker process.
    public struct Worker: Hashable, Sendable {
        /// Its process id.
        public var processID: Int32
        /// How many reloads of its master it has seen.
        public var reloads: Int
    }

    /// Reads a reply to `show proc`.
    ///
    /// - Parameter reply: The reply's bytes: a table with lines of comment between its parts.
    /// - Throws: ``HAProxyError`` with the code `unreadableReply` when there is no master in it.
    public init(_ reply: [UInt8]) throws(HAProxyError) {
        var master: Master?
        var workers: [Worker] = []
        var oldWorkers: [Worker] = []
        var isOld = false
        for line in reply.split(separator: UInt8(ascii: "\n")) {
            if line.first == UInt8(ascii: "#") {
                isOld = line.starts(with: "# old".utf8)
                continue
            }
            let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                .map { String(decoding: $0, as: UTF8.self) }
            // `PID master 4 [failed: 1] 0d00h00m03s 2.6.12`, `PID worker 1 0d00h00m00s 2.6.12`
            guard words.count >= 3, let processID = Int32(words[0]), let reloads = Int(words[2]) else { continue }
            switch words[1] {
            case "master":
                let failed = words.count > 4 && words[3] == "[failed:" ? Int(words[4].prefix { $0 != "]" }) : 0
                master = Master(
                    processID: processID, reloads: reloads, failedReloads: failed ?? 0, version: words.last ?? "")
            case "worker":
                let worker = Worker(processID: processID, reloads: reloads)
                if isOld { oldWorkers.append(worker) } else { workers.append(worker) }
            default:
                continue
            }
        }
        guard let master else {
            let text = quoted(String(decoding: reply.prefix(80), as: UTF8.self))
            throw HAProxyError(.unreadableReply, "HAProxy's reply to 'show proc' names no master: \(text)")
        }
        self.master = master
        self.workers = workers
        self.oldWorkers = oldWorkers
    }
}
