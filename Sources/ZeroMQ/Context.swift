import CZeroMQ
import Synchronization

/// The threads of libzmq that carry the messages of a group of sockets; one a process is the rule.
///
/// A socket keeps its context. When the last of both is released, the thread that releases it waits in `zmq_ctx_term`(3)
/// for the messages that closed sockets still hold, each as long as its ``SocketOptions/linger`` says.
///
/// `@unchecked Sendable`: a context is thread-safe (zmq_ctx_new(3)), the pointer never changes, and all else here is
/// under a lock.
public final class Context: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer
    private let authenticator = Mutex<Authenticator?>(nil)

    /// Starts a context; its threads start with its first socket.
    ///
    /// - Parameter ioThreads: Threads that do the input and output, at least 1. One carries a gigabyte a second.
    /// - Throws: ``ZeroMQError`` when libzmq has no memory or descriptors left, or `ioThreads` is below 1.
    public init(ioThreads: Int = 1) throws(ZeroMQError) {
        guard let ioThreads = Int32(exactly: ioThreads), ioThreads >= 1 else {
            throw ZeroMQError(.invalidArgument, "\(ioThreads) threads cannot carry messages; 1 is the least")
        }
        guard let handle = zmq_ctx_new() else { throw ZeroMQError(zmq_errno(), "libzmq made no context") }
        zmq_ctx_set(handle, ZMQ_IO_THREADS, ioThreads)
        self.handle = handle
    }

    deinit {
        // Interrupted by a signal, it has not terminated and is to be called again (zmq_ctx_term(3)).
        while zmq_ctx_term(handle) != 0 && zmq_errno() == EINTR {}
    }

    /// Ends every wait of the context's sockets: what they do from now on throws ``ZeroMQError/Code/terminated``.
    ///
    /// Any thread may call it; it does not block. Sockets are still to be closed by those who have them.
    public func shutdown() {
        zmq_ctx_shutdown(handle)
    }

    /// The context's authenticator, started before the first socket needs it.
    func startedAuthenticator() throws(ZeroMQError) -> Authenticator {
        try authenticator.withLock { (current) throws(ZeroMQError) in
            if let current { return current }
            let started = try Authenticator(in: handle)
            current = started
            return started
        }
    }
}
