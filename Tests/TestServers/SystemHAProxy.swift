import Glibc

/// Gives the machine's own HAProxy service and its configuration to `body`, and puts everything back afterwards.
///
/// One test at a time may have it, also among several test processes; it has to run as root.
public func withSystemHAProxy<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
) async throws -> Value {
    let lock = open("/run/lock/libra-test-haproxy", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0 else {
        throw TestServerError("cannot lock the HAProxy service: \(String(cString: strerror(errno)))")
    }
    defer { close(lock) }
    try await eventually(within: .seconds(300), "another test's use of the HAProxy service") {
        flock(lock, LOCK_EX | LOCK_NB) == 0
    }
    // What an earlier run left, when it was killed, comes back first.
    if !readText(savedConfiguration).isEmpty { try await putBack() }
    _ = try await run("cp", ["-a", configuration, savedConfiguration])
    do {
        _ = try await run("service", ["haproxy", "stop"])
        let value = try await body()
        try await putBack()
        return value
    } catch {
        try await putBack()
        throw error
    }
}

private let configuration = "/etc/haproxy/haproxy.cfg"
private let savedConfiguration = "/etc/haproxy/haproxy.cfg.before-tests"

private func putBack() async throws {
    // The service's script does nothing without a configuration.
    _ = try await run("cp", ["-a", savedConfiguration, configuration])
    _ = try await run("service", ["haproxy", "stop"])
    for file in ["\(configuration).libra-backup", "/var/run/haproxy-stats.socket", savedConfiguration] {
        unlink(file)
    }
}
