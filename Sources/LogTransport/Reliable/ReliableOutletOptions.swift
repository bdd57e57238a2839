package import ZeroMQ

/// Where a sender of the reliable protocol finds its receivers, and how much it packs and keeps.
package struct ReliableOutletOptions: Sendable {
    /// Where it listens for receivers.
    package var binds: [Endpoint]
    /// The receivers that it connects to.
    package var connects: [Endpoint]
    /// Who it is, and which receivers it talks to; nil for connections that are neither authenticated nor encrypted.
    package var curve: Curve?
    /// Its identity, a part of the lines' ids; the same as before where there is a spool.
    package var sender = SenderID()
    /// The most lines of a batch, at least 1.
    package var batchLines = 500
    /// The most bytes of a batch; a line that is longer makes one of its own.
    package var batchBytes = 65_536
    /// How often and how long to wait.
    package var times = ReliableTimes()
    /// How often a lost connection is tried again.
    package var reconnectInterval = Duration.seconds(1)

    /// A sender that listens and connects.
    package init(binds: [Endpoint] = [], connects: [Endpoint] = []) {
        self.binds = binds
        self.connects = connects
    }
}
