import FoundationEssentials

/// The processes that a process has started and that have not ended, from `/proc/PID/task/*/children`.
func childProcesses(of pid: Int32) -> [Int32] {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
    return tasks.flatMap { task in
        readText("/proc/\(pid)/task/\(task)/children").split(separator: " ").compactMap { Int32($0) }
    }
}

/// Whether there is such a process, and it is no zombie.
public func isRunning(_ pid: Int32) -> Bool {
    let words = readText("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ")
    guard let state = words?.first else { return false }
    return state != "Z"
}
