import Glibc

/// Socket options that libgearman has no function for.
enum SocketTuning {
    /// Sets the options of every connection that this process has to a job server.
    ///
    /// libgearman keeps its descriptors to itself, so they are recognised by the address of their other end. All
    /// connections of this process to a job server are wanted alike, so it does no harm to set one of them again.
    ///
    /// - Parameters:
    ///   - keepalive: What to set; `nil` leaves keepalive as it is.
    ///   - address: The job server's end.
    /// - Returns: Whether there is such a connection.
    @discardableResult
    static func apply(_ keepalive: Keepalive?, toConnectionsWith address: SocketAddress) -> Bool {
        var found = false
        for descriptor in openDescriptors() where SocketAddress(peerOf: descriptor) == address {
            found = true
            // libgearman lets close(2) wait up to ten seconds for a host that may be gone; a stop has no time for that.
            var linger = linger(l_onoff: 0, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
            // libgearman's 32 KiB are less than one segment of the loopback interface: large jobs would go at the pace of
            // delayed acknowledgements. The kernel takes its own maximum where this is more.
            set(1 << 20, SOL_SOCKET, SO_SNDBUF, on: descriptor)
            set(1 << 20, SOL_SOCKET, SO_RCVBUF, on: descriptor)
            guard let keepalive else { continue }
            let idle = Int32(clamping: keepalive.idle.components.seconds)
            let interval = Int32(clamping: keepalive.interval.components.seconds)
            let count = Int32(clamping: keepalive.count)
            set(1, SOL_SOCKET, SO_KEEPALIVE, on: descriptor)
            set(idle, Int32(IPPROTO_TCP), TCP_KEEPIDLE, on: descriptor)
            set(interval, Int32(IPPROTO_TCP), TCP_KEEPINTVL, on: descriptor)
            set(count, Int32(IPPROTO_TCP), TCP_KEEPCNT, on: descriptor)
            // Keepalive does not probe while something sent is unacknowledged; this bounds that case by the same time.
            set((idle + interval * count) * 1000, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, on: descriptor)
        }
        return found
    }

    private static func set(_ value: Int32, _ level: Int32, _ option: Int32, on descriptor: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func openDescriptors() -> [Int32] {
        guard let folder = opendir("/proc/self/fd") else { return [] }
        defer { closedir(folder) }
        var descriptors: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let descriptor = Int32(name) { descriptors.append(descriptor) }
        }
        return descriptors
    }
}
