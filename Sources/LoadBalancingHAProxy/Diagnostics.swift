internal import DedicatedThread
internal import Glibc
internal import HAProxy
public import LoadBalancing
internal import SystemPackage

extension HAProxyDriver {
    /// Looks at the program, the configuration, the sockets, the folders, and each command that sudo has to allow.
    public func checks() async -> [DiagnosticCheck] {
        var checks = [
            await checkVersion(),
            await check("the configuration") { () throws(HAProxyError) in
                guard try await service.readConfiguration() != nil else { return "there is none yet" }
                try await service.check(configurationAt: service.configurationFile)
                return "HAProxy accepts \(service.configurationFile)"
            },
            await check("the Runtime API socket") { () throws(HAProxyError) in
                "\(options.socket): process \(try await diagnosticsClient.info().processID) answers"
            },
        ]
        for command in await sudoCommands() {
            checks.append(
                await check("sudo \(command)") { () throws(HAProxyError) in
                    try await command.checkPermission()
                    return "allowed"
                })
        }
        let folders = writableFolders
        let log = options.log.address.description
        return checks
            + (await DedicatedThread(name: "checks").run {
                folders.map(Self.checkFolder) + (log.hasPrefix("/") ? [Self.checkLog(log)] : [])
            })
    }

    private func check(
        _ name: String, _ body: () async throws(HAProxyError) -> String
    ) async -> DiagnosticCheck {
        do {
            return DiagnosticCheck(name: name, passed: true, detail: try await body())
        } catch {
            return DiagnosticCheck(name: name, passed: false, detail: error.message)
        }
    }

    private func checkVersion() async -> DiagnosticCheck {
        await check("HAProxy's version") { () throws(HAProxyError) in
            let version = try await versionReader.version()
            guard version.isRecent else {
                throw HAProxyError(.notInstalled, "HAProxy \(version) is too old: install 2.4 or later")
            }
            return version.release
        }
    }

    /// What the worker runs as root as it is configured, and as it reaches the socket.
    private func sudoCommands() async -> [SudoCommand] {
        guard let service = service as? SystemService else { return [] }
        let socket = options.socket
        let needsSocat =
            switch options.socketAccess {
            case .direct: false
            case .socat: true
            case .auto:
                await DedicatedThread(name: "checks").run { access(socket, R_OK | W_OK) != 0 && errno == EACCES }
            }
        return service.sudoCommands + (needsSocat ? [.socat(to: diagnosticsClient.socket)] : [])
    }

    private var writableFolders: [String] {
        let other =
            service is SystemService
            ? options.stagingFolder : service.configurationFile.removingLastComponent().string
        return other == options.stateFolder ? [other] : [options.stateFolder, other]
    }

    private static func checkFolder(_ path: String) -> DiagnosticCheck {
        let isWritable = access(path, W_OK | X_OK) == 0
        let reason = isWritable ? "can be written" : "cannot be written: \(String(cString: strerror(errno)))"
        return DiagnosticCheck(name: "the folder \(path)", passed: isWritable, detail: "\(path) \(reason)")
    }

    /// Whether a syslog server may listen at `path`; HAProxy drops its lines when none does.
    private static func checkLog(_ path: String) -> DiagnosticCheck {
        var information = stat()
        let isSocket = stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFSOCK
        return DiagnosticCheck(
            name: "HAProxy's log", passed: isSocket,
            detail: isSocket ? "\(path) is a socket" : "\(path) is no socket: HAProxy's log lines are lost")
    }
}

extension Version {
    /// Whether it is 2.4 or later; that was the first in which servers can be added at run time.
    var isRecent: Bool {
        !branch.split(separator: ".").compactMap { Int($0) }.lexicographicallyPrecedes([2, 4])
    }
}
