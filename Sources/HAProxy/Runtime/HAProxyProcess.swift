/// Which process of HAProxy it is: ids are given again, and one that starts later has another start.
public struct HAProxyProcess: Hashable, Sendable {
    /// Its id (`Pid`).
    public let id: Int32
    /// When it started, in seconds since 1970 (`Start_time_sec`); 0 before HAProxy 2.5, which does not tell.
    public let startTime: Int64

    /// Creates one from what was written down of it.
    public init(id: Int32, startTime: Int64) {
        self.id = id
        self.startTime = startTime
    }
}

extension RuntimeInfo {
    /// The process that answered.
    public var process: HAProxyProcess {
        HAProxyProcess(id: processID, startTime: self["Start_time_sec"].flatMap { Int64($0) } ?? 0)
    }
}
