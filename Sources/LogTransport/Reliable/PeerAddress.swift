/// Who is at the other end of a connection.
struct PeerAddress: Hashable, Sendable {
    /// Which of this side's sockets leads there.
    let socket: Int
    /// What a ROUTER socket calls the peer; empty for a DEALER, which has one only.
    let routingID: [UInt8]

    /// The peer behind a DEALER socket.
    init(socket: Int) { self.init(socket: socket, routingID: []) }

    /// A peer of a ROUTER socket.
    init(socket: Int, routingID: [UInt8]) {
        self.socket = socket
        self.routingID = routingID
    }
}

extension PeerAddress {
    /// What logs call the peer: the socket's number and the routing id in hexadecimal digits.
    var logName: String {
        routingID.reduce(into: "\(socket)") { text, byte in
            if text.count == "\(socket)".count { text += ":" }
            text += byte < 16 ? "0" : ""
            text += String(byte, radix: 16)
        }
    }
}
