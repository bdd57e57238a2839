internal import Glibc

/// Connects to a host over TCP and closes the connection; blocks until that is done or the deadline has passed.
///
/// - Parameters:
///   - host: A name or an address.
///   - port: The port.
///   - end: After it no further address is tried; looking up the name may take longer.
/// - Returns: Whether one of the host's addresses took the connection.
func connect(to host: String, _ port: Port, before end: ContinuousClock.Instant) -> Bool {
    guard ContinuousClock.now < end else { return false }
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, port.description, &hints, &list) == 0 else { return false }
    defer { freeaddrinfo(list) }
    var next = list
    while let entry = next {
        if connect(to: entry.pointee, before: end) { return true }
        next = entry.pointee.ai_next
    }
    return false
}

private func connect(to entry: addrinfo, before end: ContinuousClock.Instant) -> Bool {
    let kind = entry.ai_socktype | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(entry.ai_family, kind, entry.ai_protocol)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    if Glibc.connect(descriptor, entry.ai_addr, entry.ai_addrlen) == 0 { return true }
    guard errno == EINPROGRESS, isWritable(descriptor, before: end) else { return false }
    var status: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &status, &size) == 0 && status == 0
}

/// Waits until a connection that is under way is made or has failed.
private func isWritable(_ descriptor: Int32, before end: ContinuousClock.Instant) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    while true {
        let left = (end - .now) / .milliseconds(1)
        guard left > 0 else { return false }
        let count = poll(&entry, 1, Int32(min(left.rounded(.up), 60_000)))
        guard count <= 0 else { return true }
        guard count == 0 || errno == EINTR else { return false }
    }
}
