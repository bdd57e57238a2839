import Synchronization

/// A client's job servers: the one that answered last is asked first.
final class ServerChoice: Sendable {
    let servers: [JobServer]
    /// How long a job server may take to accept a connection and to answer on it.
    let connectTimeout: Duration
    private let transport: Transport
    private let preferred = Mutex(0)

    init(servers: [JobServer], connectTimeout: Duration, transport: Transport) {
        self.servers = servers
        self.connectTimeout = connectTimeout
        self.transport = transport
    }

    /// Connects to the first job server that answers; blocks this thread.
    ///
    /// - Throws: ``GearmanError`` with the code `notConnected` when none does.
    func connect(before deadline: ContinuousClock.Instant) throws(GearmanError) -> ClientHandle {
        let first = preferred.withLock { $0 }
        var failures: [GearmanError] = []
        for offset in servers.indices {
            let index = (first + offset) % servers.count
            let share = ContinuousClock.now.duration(to: deadline) / (servers.count - offset)
            let patience = min(connectTimeout, share)
            guard patience > .zero else { break }
            do throws(GearmanError) {
                let handle = try connect(to: servers[index], before: .now + patience)
                preferred.withLock { $0 = index }
                return handle
            } catch {
                failures.append(error)
            }
        }
        guard failures.count != 1 else { throw failures[0] }
        throw GearmanError(
            .notConnected,
            failures.isEmpty
                ? "there was no time left to connect to a job server"
                : "no job server can be used: " + failures.map(\.message).joined(separator: "; "))
    }

    private func connect(
        to server: JobServer, before deadline: ContinuousClock.Instant
    ) throws(GearmanError) -> ClientHandle {
        let addresses = try Resolver.addresses(of: server, before: deadline, interrupter: Interrupter())
        var failure = GearmanError(.notConnected, "there was no time left to connect to job server \(server)")
        for (index, address) in addresses.enumerated() {
            let share = ContinuousClock.now.duration(to: deadline) / (addresses.count - index)
            guard share > .zero else { break }
            let handle = try ClientHandle(server: server, host: address.host, transport: transport)
            let error = handle.echo(timeout: share)
            let isConnected = SocketTuning.apply(nil, toConnectionsWith: address)
            guard let error else { return handle }
            failure = error.asFailureToConnect(to: server, isConnected: isConnected)
        }
        throw failure
    }
}
