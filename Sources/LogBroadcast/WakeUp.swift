import Glibc

/// A descriptor that one thread waits on and others make readable: a pair of connected sockets.
final class WakeUp: Sendable {
    /// What to wait on.
    let descriptor: Int32
    private let other: Int32

    init() throws(LogBroadcastError) {
        var pair: [Int32] = [-1, -1]
        let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        guard socketpair(AF_UNIX, Int32(bitPattern: kind), 0, &pair) == 0 else {
            throw LogBroadcastError(.systemError, "no descriptors are left: \(String(cString: strerror(errno)))")
        }
        (descriptor, other) = (pair[0], pair[1])
    }

    deinit {
        Glibc.close(descriptor)
        Glibc.close(other)
    }

    /// Makes the descriptor readable; when it is full already, it is that anyway.
    func signal() {
        var byte: UInt8 = 0
        _ = send(other, &byte, 1, Int32(MSG_NOSIGNAL))
    }

    /// Lets it wait for the next signal; to be called before looking at what there is to do.
    func arm() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(descriptor, &bytes, bytes.count) == bytes.count {}
    }
}
