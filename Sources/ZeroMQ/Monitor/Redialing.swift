/// Knows which of a socket's connections libzmq has given up.
///
/// libzmq makes a lost connection again for ever, but not one that ended because the two sides did not understand each
/// other: sockets that do not belong together, CURVE on one side alone, a message that is too long. It does not tell that
/// it gave up, only that it tries again. So a connection that ended without that is begun anew.
///
/// One that libzmq tries to make again must be let alone: what is queued for it would be lost.
package struct Redialing: Sendable {
    /// libzmq tells at once that it tries again.
    private static let minimumPause = Duration.milliseconds(100)

    private let endpoints: [Endpoint]
    private let pause: Duration
    /// The endpoints that are connected, or that libzmq tries to connect to.
    private var alive: Set<String>
    /// The names behind the addresses that libzmq writes.
    private var names: [String: String] = [:]
    /// When to look which are dead, and begin them anew.
    package private(set) var deadline: ContinuousClock.Instant?

    /// Begins with connections that libzmq tries to make.
    ///
    /// - Parameters:
    ///   - endpoints: Those that the socket was told to connect to.
    ///   - interval: How long to wait before a connection is begun anew.
    package init(_ endpoints: [Endpoint], interval: Duration) {
        self.endpoints = endpoints
        pause = max(interval, Self.minimumPause)
        alive = Set(endpoints.map(\.description))
    }

    /// Takes note of what happened to a connection.
    package mutating func note(_ event: SocketEvent, now: ContinuousClock.Instant) {
        switch event.kind {
        case .connected, .connectRetried:
            if let endpoint = writtenEndpoint(for: event) { alive.insert(endpoint) }
        case .disconnected:
            if let endpoint = writtenEndpoint(for: event), alive.remove(endpoint) != nil {
                deadline = deadline ?? now + pause
            }
        default: break
        }
    }

    /// What has to be disconnected and connected again.
    package mutating func due(now: ContinuousClock.Instant) -> [Endpoint] {
        guard let deadline, deadline <= now else { return [] }
        self.deadline = nil
        let due = endpoints.filter { !alive.contains($0.description) }
        alive.formUnion(due.map(\.description))
        return due
    }
}

extension Redialing {
    /// Which of the endpoints an event is about; nil for those of others, which were bound.
    ///
    /// Once libzmq has resolved a name it writes the address, which may be another one each time. An address that was not
    /// seen before comes behind the end of a connection, so that it is about a name whose connection has ended, with the
    /// same port. Should several have ended at that moment it may be taken for the wrong one of them.
    private mutating func writtenEndpoint(for event: SocketEvent) -> String? {
        let text = event.endpoint
        if endpoints.contains(where: { $0.description == text }) { return text }
        let ended = endpoints.filter { $0.isName && !alive.contains($0.description) }
        let port = text.split(separator: ":").last
        let candidates = ended.filter { $0.description.split(separator: ":").last == port }
        if let name = names[text], candidates.isEmpty || candidates.contains(where: { $0.description == name }) {
            return name
        }
        guard let name = candidates.first?.description else { return names[text] }
        names[text] = name
        return name
    }
}
