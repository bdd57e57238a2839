import Glibc

/// The file of a Unix socket that is to be bound.
struct UnixSocketFile {
    let path: String

    /// Sees to it that libzmq, which deletes what is there, deletes nothing but the socket of a process that is gone.
    ///
    /// - Parameter endpoint: Who wants it, for messages.
    /// - Throws: ``ZeroMQError`` with the code `addressInUse`.
    func checkIsFree(for endpoint: Endpoint) throws(ZeroMQError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ZeroMQError(
                .addressInUse,
                "cannot bind \(endpoint): the file exists and is no socket; move it away or use another path")
        }
        guard try isStale(for: endpoint) else {
            throw ZeroMQError(
                .addressInUse, "cannot bind \(endpoint): a process listens there; stop it or use another path")
        }
    }

    /// Whether nobody listens.
    private func isStale(for endpoint: Endpoint) throws(ZeroMQError) -> Bool {
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | O_NONBLOCK, 0)
        guard probe >= 0 else { throw ZeroMQError(errno, "cannot bind \(endpoint)") }
        defer { close(probe) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let answer = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // A listener that has no room for one more connection answers EAGAIN (connect(2)).
        return answer != 0 && (errno == ECONNREFUSED || errno == ENOENT)
    }
}
