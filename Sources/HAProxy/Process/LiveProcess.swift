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
    /// Whose it is, for anybody can give a process any name and any arguments.
    let owner: Owner

    /// The users of a process (credentials(7)).
    struct Owner: Hashable, Sendable {
        /// Who started it: also of a set-user-ID program, whose effective user is another.
        let real: UInt32
        let effective: UInt32

        /// A process that neither is nor was another user's.
        init(_ user: UInt32) { (real, effective) = (user, user) }

        /// This process's own, which its children have as well.
        static var own: Owner { Owner(real: getuid(), effective: geteuid()) }

        fileprivate init(real: UInt32, effective: UInt32) { (self.real, self.effective) = (real, effective) }
    }

    /// Whether it is a HAProxy, if it is honest about its name.
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
        // The owner of the folder in /proc is root for every program with capabilities, such as one to bind port 80.
        guard let owner = (try? Files.read(FilePath("/proc/\(processID)/status"))).flatMap(Owner.init(status:)) else {
            return nil
        }
        self.owner = owner
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

extension LiveProcess.Owner {
    /// Reads `Uid:`, which is followed by the real, the effective and two more users.
    fileprivate init?(status: [UInt8]) {
        guard let line = status.split(separator: UInt8(ascii: "\n")).first(where: { $0.starts(with: "Uid:".utf8) })
        else { return nil }
        let words = line.split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
        guard words.count > 2, let real = UInt32(String(decoding: words[1], as: UTF8.self)),
            let effective = UInt32(String(decoding: words[2], as: UTF8.self))
        else { return nil }
        self.init(real: real, effective: effective)
    }
}
