import Glibc

/// Checks the name of a function.
///
/// - Throws: ``GearmanError`` with the code `invalidArgument`.
func checkFunction(_ function: String) throws(GearmanError) {
    // GEARMAN_FUNCTION_MAX_SIZE; the job server's lists separate names by white space.
    guard (1...512).contains(function.utf8.count), function.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
        throw GearmanError(
            .invalidArgument,
            "'\(function.filter { !$0.isNewline && $0 != "\0" })' is no name for a function;"
                + " it has to have 1 to 512 bytes, without spaces and control characters")
    }
}

/// Checks a client's name for a job.
///
/// - Throws: ``GearmanError`` with the code `invalidArgument`.
func checkUnique(_ unique: String) throws(GearmanError) {
    // GEARMAN_MAX_UNIQUE_SIZE, less the null byte.
    guard unique.utf8.count <= 63, !unique.utf8.contains(0) else {
        throw GearmanError(.invalidArgument, "a unique id has at most 63 bytes and no null byte: '\(unique)'")
    }
}

extension WorkerOptions {
    /// Checks the values.
    ///
    /// - Throws: ``GearmanError`` with the code `invalidArgument`, which names the option.
    func check() throws(GearmanError) {
        try require((1...256).contains(maximumConnections), "maximumConnections", "\(maximumConnections)", "1 to 256")
        try require(
            (1...maximumConnections).contains(connections), "connections", "\(connections)", "1 to maximumConnections")
        try require(spareLifetime > .zero, "spareLifetime", "\(spareLifetime)", "above 0")
        try require(reconnectSleep > .zero, "reconnectSleep", "\(reconnectSleep)", "above 0")
        try require(connectTimeout > .zero, "connectTimeout", "\(connectTimeout)", "above 0")
        // isgraph(3) for each byte, and GEARMAN_MAX_IDENTIFIER.
        try require(
            (1...254).contains(identifier.utf8.count) && identifier.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f },
            "identifier", identifier, "1 to 254 printable ASCII characters without spaces")
        guard let keepalive else { return }
        let seconds = Duration.seconds(1)...Duration.seconds(32_767)
        try require((1...127).contains(keepalive.count), "keepalive.count", "\(keepalive.count)", "1 to 127")
        try require(seconds.contains(keepalive.idle), "keepalive.idle", "\(keepalive.idle)", "1 to 32767 seconds")
        try require(
            seconds.contains(keepalive.interval), "keepalive.interval", "\(keepalive.interval)", "1 to 32767 seconds")
    }

    private func require(
        _ holds: Bool, _ option: String, _ value: String, _ range: String
    ) throws(GearmanError) {
        guard !holds else { return }
        throw GearmanError(.invalidArgument, "worker option '\(option)' is \(value) and has to be \(range)")
    }
}

/// This process's id, for names.
func processIdentifier() -> Int32 { getpid() }
