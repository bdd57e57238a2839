internal import AMQP

/// The fanout exchange that all records go through; a broker has one, for all who log and all who watch.
enum BroadcastExchange {
    static let name = "broadcast.fanout"

    /// The exchange as each side declares it: it goes with the broker's restart, and not with its last viewer.
    static func declaration() throws(AMQPError) -> Exchange { try Exchange(name, kind: .fanout) }
}
