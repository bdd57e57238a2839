internal import Glibc
internal import HAProxy
public import LoadBalancing

extension HAProxyDriver {
    /// Looks at the program, the configuration, the socket, the folders, and each command that sudo has to allow.
    public func checks() async -> [DiagnosticCheck] {
        var checks = [
            await check("HAProxy's version") { () throws(HAProxyError) in try await service.version().release },
            await check("the configuration") { () throws(HAProxyError) in
                guard try await service.readConfiguration() != nil else { return "there is none" }
                try await service.check(configurationAt: service.configurationFile)
                return "HAProxy accepts \(service.configurationFile)"
            },
            await check("the Runtime API socket") { () throws(HAProxyError) in
                "\(options.socket): process \(try await pingClient.info().processID) answers"
            },
        ]
        checks += [options.stateFolder].map(checkFolder)
        if service is SystemService {
            checks.append(checkFolder(options.stagingFolder))
        }
        return checks
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

    private func checkFolder(_ path: String) -> DiagnosticCheck {
        let isWritable = access(path, W_OK | X_OK) == 0
        let reason = isWritable ? "can be written" : "cannot be written: \(String(cString: strerror(errno)))"
        return DiagnosticCheck(name: "the folder \(path)", passed: isWritable, detail: "\(path) \(reason)")
    }
}
