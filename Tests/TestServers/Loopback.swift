import Glibc
import Synchronization

/// A TCP port on the loopback interface that was free a moment ago, and that nobody is given again.
public func freePort() throws -> Int { try FreePorts.next() }

/// TCP ports on the loopback interface that were free a moment ago, no two the same.
public func freePorts(_ count: Int) throws -> [Int] { try (0..<count).map { _ in try freePort() } }

/// Ports that are given out one after the other.
private enum FreePorts {
    /// Below those that the kernel chooses for sockets that name none, such as connections have: it would choose one that
    /// was given out here and is bound only later.
    private static let range: Range<Int> = {
        let chosen = readText("/proc/sys/net/ipv4/ip_local_port_range").split(whereSeparator: \.isWhitespace)
        return 10_000..<max(chosen.first.flatMap { Int($0) } ?? 32_768, 20_000)
    }()

    /// Another place in each process, as several may run their tests.
    private static let place = Atomic(Int.random(in: 0..<range.count))

    static func next() throws -> Int {
        for _ in range {
            let port = range.lowerBound + place.add(1, ordering: .relaxed).oldValue % range.count
            guard let listener = try? LoopbackListener(port: port) else { continue }
            listener.close()
            return port
        }
        throw TestServerError("none of the ports \(range) is free")
    }
}

/// A listening TCP socket on 127.0.0.1.
struct LoopbackListener {
    let descriptor: Int32
    let port: Int

    init(port wanted: Int = 0) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestServerError("socket: \(String(cString: strerror(errno)))") }
        var address = loopback(port: wanted)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 128) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else {
            Glibc.close(descriptor)
            throw TestServerError("no loopback port: \(String(cString: strerror(errno)))")
        }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    func close() { _ = Glibc.close(descriptor) }
}

/// Connects to a loopback port; a negative number when nobody listens there.
public func connectToLoopback(port: Int) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = loopback(port: port)
    let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard status == 0 else {
        close(descriptor)
        return -1
    }
    return descriptor
}

/// Whether something accepts TCP connections on this loopback port.
public func accepts(port: Int) -> Bool {
    let descriptor = connectToLoopback(port: port)
    guard descriptor >= 0 else { return false }
    close(descriptor)
    return true
}

private func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    return address
}
