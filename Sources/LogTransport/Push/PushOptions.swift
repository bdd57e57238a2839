public import ZeroMQ

/// Where a relay pushes its lines to over a PUSH socket, and how: each line to one of the PULL sockets, at most once.
public struct PushOptions: Sendable {
    /// Where PULL sockets connect to.
    public var bind: [Endpoint]
    /// The PULL sockets to connect to.
    ///
    /// Lines wait for the only one, and what libzmq has queued for it waits for its return. Of several, those that are
    /// there get the lines.
    public var connect: [Endpoint]
    /// Messages that wait for one receiver at most; at least 1.
    ///
    /// Where there may be several receivers it is 5,000 at most, so that one that stops reading does not take the memory
    /// from the others; with lines of some 500 bytes or more it still can, and then all wait. Long lines wait in smaller
    /// numbers: whatever it is, all that waits takes less than 8 MiB.
    public var highWaterMark = 20_000
    /// What all that waits for receivers may take in memory, in bytes; a longer line may wait alone.
    ///
    /// The default is enough for some 21,000 lines of 130 bytes.
    public var waitingBytes = 5 << 20
    /// How long to wait before a lost or refused connection is tried again.
    public var reconnectInterval: Duration = .seconds(1)
    /// How many lines are packed into one message, which receivers of this project unpack; 1 sends each on its own.
    public var batchLines = 1
    /// Whether each message begins with an empty frame.
    public var sendsEmptyTopic = false
    /// Who the sender is and who may receive; nil for connections without authentication and encryption.
    public var curve: Curve?

    /// Whether there is one peer at most, which this side connects to.
    var hasOnePeer: Bool { bind.isEmpty && connect.count == 1 }

    /// The messages that may wait for each peer.
    ///
    /// Where there may be several, one that stops reading is not to have all the memory. libzmq's mark is not changed
    /// later: its queues may then wait for each other for ever.
    var markPerPeer: Int { hasOnePeer ? highWaterMark : min(highWaterMark, 5000) }

    /// Pushes to sockets that connect to `bind`, and to those at `connect`; together they are at least one.
    public init(bind: [Endpoint] = [], connect: [Endpoint] = []) {
        self.bind = bind
        self.connect = connect
    }
}
