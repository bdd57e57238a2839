import Glibc

extension SyslogDaemon {
    /// Starts `syslog-ng`.
    ///
    /// It is not installed, for it conflicts with rsyslog: `bin/test` unpacks its packages into the folder that
    /// `LIBRA_TEST_SYSLOG_NG` names.
    ///
    /// - Parameters:
    ///   - folder: Where it may write.
    ///   - configuration: A file that says what is done with the lines of the source `s_src`, as one in
    ///     `/etc/syslog-ng/conf.d`.
    /// - Returns: The running daemon; it ends with the test process at the latest.
    /// - Throws: ``TestServerError`` when it cannot be started.
    public static func syslogNG(in folder: String, configuration: String) async throws -> SyslogDaemon {
        guard let packages = getenv("LIBRA_TEST_SYSLOG_NG").map({ String(cString: $0) }) else {
            throw TestServerError(
                "LIBRA_TEST_SYSLOG_NG has to name a folder with syslog-ng's files, as bin/test does: "
                    + "bin/unpack-packages FOLDER syslog-ng-core libivykis0 libnet1 libpcre3")
        }
        let (base, socket) = (folder + "/syslog-ng", folder + "/syslog-ng.socket")
        // Debian's own configuration has the version, a source of that name and the include too.
        try writeText(
            """
            @version: 3.38
            source s_src { unix-stream("\(socket)"); };
            @include "\(configuration)"

            """, to: base + ".conf")
        let libraries = ["/usr/lib/syslog-ng", "/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu"]
        return try await SyslogDaemon(
            [
                packages + "/usr/sbin/syslog-ng", "--foreground", "--stderr", "--no-caps", "--cfgfile", base + ".conf",
                "--persist-file", base + ".persist", "--pidfile", base + ".pid", "--control", base + ".ctl",
                "--module-path", packages + "/usr/lib/syslog-ng/3.38",
            ],
            environment: ["LD_LIBRARY_PATH": libraries.map { packages + $0 }.joined(separator: ":")],
            socket: socket, in: folder)
    }
}
