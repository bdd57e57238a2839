import Glibc
import TestServers
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(1))) struct UnixSocketTests {
    @Test("messages go over a Unix socket")
    func messages() async throws {
        try await withTemporaryFolder { folder in
            let context = try Context()
            var pull = try Socket(.pull, in: context)
            let endpoint = try pull.bind(Endpoint("ipc://\(folder)/socket"))
            var push = try Socket(.push, in: context, options: lingering())
            try push.connect(endpoint)
            #expect(try push.send([1], wait: true))
            #expect(try pull.received() == [[1]])
        }
    }

    @Test("a file that is no socket is left as it is")
    func regularFile() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/precious"
            let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            #expect(write(file, "x", 1) == 1)
            close(file)
            let context = try Context()
            var pull = try Socket(.pull, in: context)
            let error = #expect(throws: ZeroMQError.self) { try pull.bind(Endpoint("ipc://\(path)")) }
            #expect(error?.code == .addressInUse)
            #expect(error?.message.contains(path) == true)
            var status = stat()
            #expect(lstat(path, &status) == 0)
            #expect(status.st_size == 1)
        }
    }

    @Test("a socket that somebody listens to is not taken over")
    func liveSocket() async throws {
        try await withTemporaryFolder { folder in
            let context = try Context()
            var first = try Socket(.pull, in: context)
            let endpoint = try first.bind(Endpoint("ipc://\(folder)/socket"))
            var second = try Socket(.pull, in: context)
            let error = #expect(throws: ZeroMQError.self) { try second.bind(endpoint) }
            #expect(error?.code == .addressInUse)
            var push = try Socket(.push, in: context, options: lingering())
            try push.connect(endpoint)
            #expect(try push.send([1], wait: true))
            #expect(try first.received() == [[1]])
        }
    }

    @Test("the socket of a process that is gone is replaced")
    func staleSocket() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/socket"
            let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let isBound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
                }
            }
            #expect(isBound)
            close(listener)
            let context = try Context()
            var pull = try Socket(.pull, in: context)
            try pull.bind(Endpoint("ipc://\(path)"))
        }
    }
}
