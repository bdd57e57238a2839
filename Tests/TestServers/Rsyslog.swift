extension SyslogDaemon {
    /// Starts `rsyslogd`.
    ///
    /// - Parameters:
    ///   - folder: Where it may write.
    ///   - configuration: A file that says what is done with the lines, as one in `/etc/rsyslog.d`.
    /// - Returns: The running daemon; it ends with the test process at the latest.
    /// - Throws: ``TestServerError`` when it cannot be started.
    public static func rsyslog(in folder: String, configuration: String) async throws -> SyslogDaemon {
        let (file, socket) = (folder + "/rsyslog.conf", folder + "/rsyslog.socket")
        // Debian's own /etc/rsyslog.conf has the folder, an input and the include too.
        try writeText(
            """
            global(workDirectory="\(folder)")
            module(load="imptcp")
            input(type="imptcp" path="\(socket)" unlink="on")
            include(file="\(configuration)")

            """, to: file)
        return try await SyslogDaemon(["rsyslogd", "-n", "-f", file, "-i", "NONE"], socket: socket, in: folder)
    }
}
