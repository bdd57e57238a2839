internal import Glibc
internal import SystemPackage

/// One connection to a unix socket; its calls block up to a deadline, so they belong on a thread of their own.
struct SocketConnection: ~Copyable {
    private let descriptor: Int32
    private let path: FilePath

    /// Connects.
    init(to path: FilePath, by deadline: Deadline) throws(HAProxyError) {
        self.path = path
        descriptor = try connected(to: path, by: deadline)
    }

    /// Connects through `sudo -n socat`, which lives as long as the connection.
    init(throughSocatTo path: FilePath) throws(HAProxyError) {
        self.path = path
        descriptor = try CommandRunner.connect(.socat(to: path)).rawValue
    }

    deinit { close(descriptor) }

    /// Sends bytes and then, as the end of a request, the end of the stream.
    ///
    /// A master keeps a connection open after its reply until the client's side is closed (2.6).
    func send(_ bytes: [UInt8], by deadline: Deadline) throws(HAProxyError) {
        try write(bytes, by: deadline)
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Sends bytes, more of which may follow.
    func write(_ bytes: [UInt8], by deadline: Deadline) throws(HAProxyError) {
        var sent = 0
        while sent < bytes.count {
            try wait(for: POLLOUT, by: deadline)
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count >= 0 {
                sent += count
            } else if errno != EINTR && errno != EAGAIN {
                throw socketFailure(path, errno, limit: deadline.limit)
            }
        }
    }

    /// Reads up to and without the last of so many `mark`, after which the other side sends nothing until it is asked for
    /// more.
    func receive(
        endingWith mark: [UInt8], times: Int = 1, upTo limit: Int, by deadline: Deadline
    ) throws(HAProxyError) -> [UInt8] {
        var bytes: [UInt8] = []
        while !bytes.suffix(mark.count).elementsEqual(mark) || (times > 1 && bytes.count(of: mark) < times) {
            guard try receiveMore(into: &bytes, upTo: limit, by: deadline) else {
                throw socketFailure(path, ECONNRESET, limit: deadline.limit)
            }
        }
        return bytes.dropLast(mark.count)
    }

    /// Reads to the end of the stream.
    func receive(upTo limit: Int, by deadline: Deadline) throws(HAProxyError) -> [UInt8] {
        var bytes: [UInt8] = []
        while try receiveMore(into: &bytes, upTo: limit, by: deadline) {}
        return bytes
    }

    /// Waits for bytes, and appends those that are there.
    ///
    /// - Returns: Whether there were any; none at the end of the stream.
    private func receiveMore(
        into bytes: inout [UInt8], upTo limit: Int, by deadline: Deadline
    ) throws(HAProxyError) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            try wait(for: POLLIN, by: deadline)
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count == 0 { return false }
            guard count > 0 else {
                if errno == EINTR || errno == EAGAIN { continue }
                throw socketFailure(path, errno, limit: deadline.limit)
            }
            bytes += buffer[..<count]
            guard bytes.count <= limit else {
                throw HAProxyError(
                    .replyTooLarge, "the reply from \(path) is longer than \(limit) bytes, which is all that is read")
            }
            return true
        }
    }

    private func wait(for events: Int32, by deadline: Deadline) throws(HAProxyError) {
        var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let status = poll(&request, 1, deadline.pollTimeout)
            if status > 0 { return }
            if status == 0 || deadline.hasPassed { throw socketFailure(path, EAGAIN, limit: deadline.limit) }
            guard errno == EINTR else { throw socketFailure(path, errno, limit: deadline.limit) }
        }
    }
}

private func connected(to path: FilePath, by deadline: Deadline) throws(HAProxyError) -> Int32 {
    var address = try socketAddress(path)
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw socketFailure(path, errno, limit: deadline.limit) }
    // A connection waits while the listener's backlog is full, for as long as sending may take.
    var limit = deadline.socketTimeout
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    guard status == 0 else {
        let code = errno
        close(descriptor)
        throw socketFailure(path, code, limit: deadline.limit)
    }
    return descriptor
}

/// What a failed call on a connection to `path` means.
func socketFailure(_ path: FilePath, _ code: Int32, limit: Duration) -> HAProxyError {
    let cause = Errno(rawValue: code)
    return switch code {
    case ENOENT:
        HAProxyError(.notRunning, "HAProxy is not running: there is no socket \(path)", cause: cause)
    case ECONNREFUSED:
        HAProxyError(.notRunning, "HAProxy is not running: nobody listens on the socket \(path)", cause: cause)
    case EACCES, EPERM:
        HAProxyError(.permissionDenied, "this user may not open HAProxy's socket \(path)", cause: cause)
    case EAGAIN, ETIMEDOUT:
        HAProxyError(.timedOut, "HAProxy did not answer on \(path) within \(limit)", cause: cause)
    case ECONNRESET, EPIPE:
        HAProxyError(.connectionLost, "HAProxy closed the connection to \(path)", cause: cause)
    default:
        HAProxyError(.inputOutput, "the socket \(path) fails: \(describe(code))", cause: cause)
    }
}

private func socketAddress(_ path: FilePath) throws(HAProxyError) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.string.utf8)
    let capacity = MemoryLayout.size(ofValue: address.sun_path) - 1
    guard (1...capacity).contains(bytes.count) else {
        throw HAProxyError(
            .invalidValue, "\(quoted(path.string)) cannot be a socket: its path has to have 1 to \(capacity) bytes")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return address
}

extension [UInt8] {
    /// How often a mark is in these bytes.
    fileprivate func count(of mark: [UInt8]) -> Int {
        indices.dropLast(mark.count - 1).count { self[$0...].starts(with: mark) }
    }
}
