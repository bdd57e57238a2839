internal import SystemPackage

/// The program `haproxy`, run to ask it something.
struct HAProxyExecutable: Sendable {
    let path: FilePath
    let timeout: Duration

    func version() async throws(HAProxyError) -> Version {
        let outcome = try await CommandRunner.run(path, ["-v"], within: timeout)
        guard outcome.isSuccess else { throw outcome.failure(.commandFailed) }
        // `HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/`
        let words = outcome.output.prefix { $0 != UInt8(ascii: "\n") }.split(separator: UInt8(ascii: " "))
        guard let index = words.firstIndex(where: { $0.elementsEqual("version".utf8) }), index + 1 < words.count else {
            throw HAProxyError(.unreadableReply, "'\(outcome.command)' does not tell a version: \(outcome.words)")
        }
        return try Version(String(decoding: words[index + 1], as: UTF8.self))
    }

    func check(_ file: FilePath) async throws(HAProxyError) {
        let outcome = try await CommandRunner.run(path, ["-c", "-f", file.string], within: timeout)
        guard outcome.isSuccess else {
            throw outcome.failure(.invalidConfiguration, "HAProxy refuses the configuration")
        }
    }
}
