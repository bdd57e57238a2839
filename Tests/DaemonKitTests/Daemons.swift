import Glibc
import TestServers
import Testing

/// The program that the tests run as a daemon; it is built beside them.
let probe =
    String(cString: realpath("/proc/self/exe", nil)).split(separator: "/").dropLast()
    .reduce("") { "\($0)/\($1)" } + "/daemonkit-probe"

/// A daemon that a test started, as its PID file and `/proc` show it.
struct RunningDaemon {
    let pid: Int32

    /// Whether it has neither gone nor become a zombie that nobody reaps.
    var isAlive: Bool { isProcessAlive(pid) }

    /// A field of `/proc/PID/status`, its words separated by one space.
    func status(_ field: String) -> String {
        for line in readText("/proc/\(pid)/status").split(separator: "\n") where line.hasPrefix("\(field):") {
            return line.dropFirst(field.count + 1).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
        return ""
    }

    /// What each descriptor leads to, by its number.
    var descriptors: [Int32: String] {
        var found: [Int32: String] = [:]
        for number in Int32(0)..<1024 {
            if let target = linkTarget("/proc/\(pid)/fd/\(number)") { found[number] = target }
        }
        return found
    }
}

func isProcessAlive(_ pid: Int32) -> Bool {
    let line = readText("/proc/\(pid)/stat")
    guard let end = line.lastIndex(of: ")") else { return false }
    return !line[end...].hasPrefix(") Z")
}

func linkTarget(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink(path, &buffer, buffer.count)
    return count < 0 ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

func fileStatus(_ path: String) throws -> stat {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw TestServerError("\(path): \(String(cString: strerror(errno)))") }
    return status
}

/// The number of a user, or an error that says that the tests need it.
func userNumber(_ name: String) throws -> uid_t {
    guard let entry = getpwnam(name) else { throw TestServerError("there is no user \(name)") }
    return entry.pointee.pw_uid
}

/// A folder in which `haproxy` may write, and a PID and a log file to be in it.
struct DaemonFolder {
    let path: String
    var pidFile: String { "\(path)/probe.pid" }
    var logFile: String { "\(path)/probe.log" }
    var options: [String] { ["--pid", pidFile, "--logfile", logFile, "--folder", path] }

    var pid: Int32? { Int32(readText(pidFile).split(separator: "\n").first ?? "") }
}

/// Gives a test a folder of haproxy's, and kills the daemon whose PID file is in it when the test ends.
func withDaemonFolder(_ body: (DaemonFolder) async throws -> Void) async throws {
    try await withTemporaryFolder { outer in
        let folder = DaemonFolder(path: "\(outer)/run")
        mkdir(folder.path, 0o755)
        chown(folder.path, try userNumber("haproxy"), gid_t(0))
        defer { if let pid = folder.pid, isProbe(pid) { kill(pid, SIGKILL) } }
        try await body(folder)
    }
}

/// Starts the probe as a daemon with haproxy's rights, and expects that the command succeeds.
func startDaemon(_ folder: DaemonFolder, _ options: [String] = [], environment: [String: String] = [:]) async throws
    -> RunningDaemon
{
    let (code, output) = try await run(
        probe, ["--user", "haproxy"] + folder.options + options, environment: environment)
    try #require(code == 0, "\(output)")
    #expect(output == "")
    return RunningDaemon(pid: try #require(folder.pid))
}

private func isProbe(_ pid: Int32) -> Bool { readText("/proc/\(pid)/comm").hasPrefix("daemonkit-probe") }
