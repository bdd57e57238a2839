package import ZeroMQ

/// Where a receiver of the reliable protocol finds its senders, and how much it takes at once.
package struct ReliableInletOptions: Sendable {
    /// Where it listens for senders.
    package var binds: [Endpoint]
    /// The senders that it connects to.
    package var connects: [Endpoint]
    /// Who it is, and which senders it talks to; nil for connections that are neither authenticated nor encrypted.
    package var curve: Curve?
    /// The bytes that one sender may have sent and that are not processed, at least 1.
    package var windowBytes = 2 << 20
    /// The most bytes of one batch; a sender of a longer one is disconnected.
    package var maximumBatch = 128 << 20
    /// How often and how long to wait.
    package var times = ReliableTimes()
    /// How often a lost connection is tried again.
    package var reconnectInterval = Duration.seconds(1)
    /// How long the last acknowledgements are kept for senders that do not take them at once.
    package var linger = Duration.seconds(2)

    /// A receiver that listens and connects.
    package init(binds: [Endpoint] = [], connects: [Endpoint] = []) {
        self.binds = binds
        self.connects = connects
    }
}
