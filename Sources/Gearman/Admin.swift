import DedicatedThread

/// Asks a job server about itself, over the text protocol on the port where it also takes jobs.
public final class Admin: Sendable {
    /// The job server that is asked.
    public let server: JobServer
    private let timeout: Duration
    private let thread = DedicatedThread(name: "gearman-admin")

    /// Names the job server; nothing is connected before a question, and each question has a connection of its own.
    ///
    /// - Parameters:
    ///   - server: The job server.
    ///   - tls: What other connections to it have; anything but `nil` is refused, for the text protocol has no TLS.
    ///   - timeout: How long a question may take in all.
    /// - Throws: ``GearmanError`` with the code `invalidArgument` or `tlsUnavailable`.
    public init(server: JobServer, tls: TLSOptions? = nil, timeout: Duration = .seconds(5)) throws(GearmanError) {
        guard tls == nil else {
            throw GearmanError(
                .tlsUnavailable, "job server \(server) cannot be asked over TLS; use stunnel as docs/tls.md shows")
        }
        guard timeout > .zero else {
            throw GearmanError(.invalidArgument, "the time-out for job server \(server) is not above 0")
        }
        self.server = server
        self.timeout = timeout
    }

    /// The functions that the job server knows, with their jobs and workers.
    ///
    /// - Throws: ``GearmanError``.
    public func status() async throws(GearmanError) -> [FunctionStatus] {
        try AdminReply.functions(in: try await ask("status", until: .dot))
    }

    /// The connections of the job server, with the functions that they have registered.
    ///
    /// - Throws: ``GearmanError``.
    public func workers() async throws(GearmanError) -> [ConnectedWorker] {
        try AdminReply.workers(in: try await ask("workers", until: .dot))
    }

    /// The version of the job server's software, such as `1.1.20`.
    ///
    /// - Throws: ``GearmanError``.
    public func version() async throws(GearmanError) -> String {
        try AdminReply.version(in: try await ask("version", until: .line))
    }

    private func ask(_ command: String, until end: TextConnection.End) async throws(GearmanError) -> String {
        let deadline = ContinuousClock.now + timeout
        let server = server
        return try await thread.run { () throws(GearmanError) -> String in
            let connection = try TextConnection(to: server, before: deadline)
            try connection.send(command + "\n", before: deadline)
            return try connection.receive(until: end, before: deadline)
        }
    }
}
