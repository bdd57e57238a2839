import Glibc
public import ServiceLifecycle

/// Tells systemd how the service is, as sd_notify(3) describes it; without systemd it does nothing.
///
/// As a `Service` it waits for the end and sends `STOPPING=1`: put it last in the group, where that is heard first.
public struct SystemdNotifier: Service {
    private let address: [UInt8]?

    /// Takes the socket from the process's environment, where children must not find it.
    ///
    /// It changes the environment: call it early, but not in a process that is about to launch a daemon, which inherits it.
    ///
    /// - Returns: The notifier; one that does nothing when there is no socket.
    public static func takeFromEnvironment() -> SystemdNotifier {
        let path = getenv("NOTIFY_SOCKET").map { String(cString: $0) }
        unsetenv("NOTIFY_SOCKET")
        return SystemdNotifier(socket: path)
    }

    /// Uses a socket.
    ///
    /// - Parameter socket: An absolute path, or a name in the abstract namespace behind an `@`; nil, and anything else,
    ///   makes a notifier that does nothing.
    public init(socket: String?) {
        guard let socket, socket.hasPrefix("/") || socket.hasPrefix("@"), socket.utf8.count > 1 else {
            address = nil
            return
        }
        var bytes = Array(socket.utf8)
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        let capacity = MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        address = bytes.count < capacity ? bytes : nil
    }

    /// Says that the service serves: `READY=1`, and which process it is.
    public func ready() { send("READY=1\nMAINPID=\(getpid())") }

    /// Says that the service is about to end: `STOPPING=1`.
    public func stopping() { send("STOPPING=1") }

    /// Says in words how the service is: `STATUS=…`.
    ///
    /// - Parameter words: One line.
    public func status(_ words: String) { send("STATUS=\(escapingControls(words))") }

    /// Waits until the group is asked to finish, and says so.
    public func run() async throws {
        try await gracefulShutdown()
        stopping()
    }

    /// Sends a datagram; one that nobody takes is lost.
    private func send(_ state: String) {
        guard let address else { return }
        let file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard file >= 0 else { return }
        defer { close(file) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: address) }
        // A name in the abstract namespace is as long as the address says; a path ends with a NUL.
        let isAbstract = address[0] == 0
        let length = MemoryLayout<sa_family_t>.size + address.count + (isAbstract ? 0 : 1)
        let text = Array(state.utf8)
        withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = retrying { sendto(file, text, text.count, Int32(MSG_NOSIGNAL), address, socklen_t(length)) }
            }
        }
    }
}
