internal import Glibc
internal import SystemPackage

/// A process of this machine, as `/proc` shows it (proc(5)).
struct LiveProcess: Hashable, Sendable {
    let processID: Int32
    let parentID: Int32
    /// When it started, in clock ticks since boot: with the id, this tells a process from a later one of the same id.
    let startTime: UInt64
    let name: String
    let arguments: [String]

    /// Whether it is a HAProxy.
    var isHAProxy: Bool { name == "haproxy" }

    /// The process with this id; nil when there is none, or only what its parent has not yet taken notice of.
    init?(_ processID: Int32) {
        guard processID > 0, let status = try? Files.read(FilePath("/proc/\(processID)/stat")),
            // The name stands in brackets and may contain any byte, brackets too.
            let open = status.firstIndex(of: UInt8(ascii: "(")), let close = status.lastIndex(of: UInt8(ascii: ")")),
            open < close
        else { return nil }
        let fields = status[(close + 1)...].split(separator: UInt8(ascii: " "))
        // Fields 3, 4 and 22 of the line.
        guard fields.count > 19, let state = fields[0].first, state != UInt8(ascii: "Z"), state != UInt8(ascii: "X"),
            let parentID = Int32(String(decoding: fields[1], as: UTF8.self)),
            let startTime = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        self.processID = processID
        self.parentID = parentID
        self.startTime = startTime
        name = String(decoding: status[(open + 1)..<close], as: UTF8.self)
        let command = (try? Files.read(FilePath("/proc/\(processID)/cmdline"))) ?? []
        arguments = command.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether this very process still runs.
    var isAlive: Bool { LiveProcess(processID).map { $0.startTime == startTime } ?? false }

    /// Sends a signal, unless the process has ended; another that has its id meanwhile gets none.
    func signal(_ number: Int32) {
        if isAlive { kill(processID, number) }
    }

    /// The processes that live among the ids in a process id file.
    static func list(in file: [UInt8]?) -> [LiveProcess] {
        (file ?? []).split { $0 < 48 || $0 > 57 }
            .compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
            .compactMap { LiveProcess($0) }
    }

    /// Every process of this machine that lives.
    static func all() -> [LiveProcess] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var processes: [LiveProcess] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let processID = Int32(name), let process = LiveProcess(processID) { processes.append(process) }
        }
        return processes
    }
}
