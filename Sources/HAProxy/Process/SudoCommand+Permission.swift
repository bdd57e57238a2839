internal import SystemPackage

extension SudoCommand {
    /// Asks sudo whether this user may run the command without a password; the command is not run.
    ///
    /// - Parameter limit: How long sudo may take.
    /// - Throws: ``HAProxyError`` with the code `permissionDenied` and what sudo says, `notInstalled` or `timedOut`.
    public func checkPermission(within limit: Duration = .seconds(10)) async throws(HAProxyError) {
        let outcome = try await CommandRunner.run("/usr/bin/sudo", probeArguments, within: limit)
        guard !outcome.isSuccess else { return }
        let words = outcome.words.isEmpty ? "" : ": \(outcome.words)"
        throw HAProxyError(
            .permissionDenied,
            "sudo does not allow '\(self)' without a password\(words); the sudoers file has to allow exactly this command"
        )
    }
}
