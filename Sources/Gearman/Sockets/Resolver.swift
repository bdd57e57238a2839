import DedicatedThread
import Glibc

/// Finds the addresses of a job server.
///
/// getaddrinfo(3) has no time-out and cannot be interrupted, so it runs on a thread of its own, which is left to itself
/// when the time is up.
enum Resolver {
    /// The addresses of `server`, in the order in which they should be tried; blocks this thread.
    ///
    /// - Parameters:
    ///   - server: The job server.
    ///   - deadline: Until when to wait.
    ///   - interrupter: Ends the wait from another thread.
    /// - Returns: At least one address.
    /// - Throws: ``GearmanError`` with the code `notConnected`.
    static func addresses(
        of server: JobServer, before deadline: ContinuousClock.Instant, interrupter: Interrupter
    ) throws(GearmanError) -> [SocketAddress] {
        // An address in digits is only parsed, which blocks nobody.
        if case .success(let addresses) = look(up: server, flags: AI_NUMERICHOST) { return addresses }
        let answer = ThreadMonitor<Result<[SocketAddress], GearmanError>?>(nil)
        let thread = DedicatedThread(name: "gearman-dns")
        Task { await thread.run { answer.update { $0 = $0 ?? look(up: server, flags: 0) } } }
        let stopped = GearmanError(.cancelled, "the search for the address of job server \(server) was stopped")
        let result = interrupter.whileWaiting {
            answer.update { $0 = $0 ?? .failure(stopped) }
        } _: {
            answer.wait { answer -> Looked<Result<[SocketAddress], GearmanError>> in
                if let answer { return .value(answer) }
                if deadline > .now { return .wait(until: deadline) }
                return .value(
                    .failure(
                        GearmanError(.notConnected, "no name server told the address of job server \(server) in time")))
            }
        }
        return try (result ?? .failure(stopped)).get()
    }

    private static func look(up server: JobServer, flags: Int32) -> Result<[SocketAddress], GearmanError> {
        var hints = addrinfo()
        hints.ai_flags = flags | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(server.host, String(server.port), &hints, &list)
        guard status == 0 else {
            return .failure(
                GearmanError(
                    .notConnected,
                    "job server \(server) has no address (\(String(cString: gai_strerror(status)))); check its name"))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = entry.ai_addr { addresses.append(SocketAddress(address, length: entry.ai_addrlen)) }
            next = entry.ai_next
        }
        return .success(addresses)
    }
}
