/// All that a connection has to bring back when it is made again; lives on the connection's thread.
final class Roster {
    /// A user that needs a channel.
    struct Opening {
        let user: any ChannelUser
        let due: ContinuousClock.Instant
        let wasRefused: Bool
    }

    let control: ControlChannel
    var backoff: Backoff
    private(set) var publishers: [PublisherChannel] = []
    private(set) var consumers: [ConsumerChannel] = []
    private var openings: [Opening] = []

    init(topology: Topology, backoff: Backoff) {
        control = ControlChannel(topology: topology)
        self.backoff = backoff
    }

    func add(_ publisher: PublisherChannel) {
        publishers.append(publisher)
        openLater([Opening(user: publisher, due: .now, wasRefused: false)])
    }

    func add(_ consumer: ConsumerChannel) {
        consumers.append(consumer)
        openLater([Opening(user: consumer, due: .now, wasRefused: false)])
    }

    func remove(_ user: any ChannelUser) {
        publishers.removeAll { $0 === user }
        consumers.removeAll { $0 === user }
        openings.removeAll { $0.user === user }
    }

    /// Has channels opened when they are due.
    func openLater(_ entries: [Opening]) { openings += entries }

    /// When the next channel is to be opened.
    var nextOpening: ContinuousClock.Instant? { openings.lazy.map(\.due).min() }

    /// The users whose time has come.
    func takeUsersToOpen() -> [Opening] {
        if openings.isEmpty { return [] }
        let now = ContinuousClock.now
        let due = openings.filter { $0.due <= now }
        openings.removeAll { $0.due <= now }
        return due
    }

    /// The connection ended; all of it needs channels of the next one.
    func disconnected(_ error: AMQPError) {
        control.disconnected(error)
        for publisher in publishers { publisher.disconnected(error) }
        for consumer in consumers { consumer.disconnected(error) }
        openings = (publishers as [any ChannelUser] + consumers).map {
            Opening(user: $0, due: .now, wasRefused: false)
        }
    }

    /// This side closed the connection for good.
    func end() {
        let error = AMQPError(.closed, "the connection was closed")
        control.end(error)
        for publisher in publishers { publisher.end(error) }
        for consumer in consumers { consumer.end(nil) }
        publishers = []
        consumers = []
        openings = []
    }
}
