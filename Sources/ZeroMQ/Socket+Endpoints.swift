import CZeroMQ

extension Socket {
    /// Binds to an endpoint.
    ///
    /// A Unix socket's file is made, and replaced where no process listens to it any more; a file of any other kind, and
    /// a socket that somebody listens to, are left alone. libzmq itself would delete both.
    ///
    /// - Parameter endpoint: The endpoint.
    /// - Returns: The endpoint as it was bound, with the port that was chosen.
    /// - Throws: ``ZeroMQError``: `addressInUse`, `unavailable` or `invalidArgument`.
    @discardableResult
    public mutating func bind(_ endpoint: Endpoint) throws(ZeroMQError) -> Endpoint {
        if case .ipc(let path) = endpoint.address, !path.hasPrefix("@") {
            try UnixSocketFile(path: path).checkIsFree(for: endpoint)
        }
        try preparing(for: endpoint)
        guard zmq_bind(handle, endpoint.description) == 0 else {
            let number = zmq_errno()
            if number == ENODEV, let name = endpoint.hostName { throw Self.noInterface(name, endpoint) }
            throw ZeroMQError(number, "cannot bind \(endpoint)")
        }
        if case .inproc = endpoint.address { return endpoint }
        return try lastEndpoint()
    }

    /// Connects to an endpoint, now or as soon as somebody listens there; a lost connection is made again for ever.
    ///
    /// - Parameter endpoint: The endpoint.
    /// - Throws: ``ZeroMQError``: `invalidArgument` when it stands for several addresses or no port.
    public mutating func connect(_ endpoint: Endpoint) throws(ZeroMQError) {
        guard !endpoint.isWildcard else {
            throw ZeroMQError(.invalidArgument, "cannot connect to \(endpoint): it names no host or no port")
        }
        try preparing(for: endpoint)
        guard zmq_connect(handle, endpoint.description) == 0 else {
            throw ZeroMQError(zmq_errno(), "cannot connect to \(endpoint)")
        }
    }

    /// Listens to an endpoint no more; connections that were made stay.
    ///
    /// - Parameter endpoint: The endpoint as ``bind(_:)`` returned it.
    /// - Throws: ``ZeroMQError`` when it was not bound.
    public mutating func unbind(_ endpoint: Endpoint) throws(ZeroMQError) {
        guard zmq_unbind(handle, endpoint.description) == 0 else {
            throw ZeroMQError(zmq_errno(), "cannot unbind \(endpoint)")
        }
    }

    /// Ends the connection to an endpoint; what is queued for it is kept as long as the linger says.
    ///
    /// - Parameter endpoint: The endpoint as it was given to ``connect(_:)``.
    /// - Throws: ``ZeroMQError`` when it was not connected.
    public mutating func disconnect(_ endpoint: Endpoint) throws(ZeroMQError) {
        guard zmq_disconnect(handle, endpoint.description) == 0 else {
            throw ZeroMQError(zmq_errno(), "cannot disconnect from \(endpoint)")
        }
    }

    /// Begins a connection anew that libzmq has given up, or may have.
    ///
    /// - Parameter endpoint: The endpoint as it was given to ``connect(_:)``.
    /// - Throws: ``ZeroMQError`` as ``connect(_:)`` does.
    package mutating func reconnect(_ endpoint: Endpoint) throws(ZeroMQError) {
        // It is no error that libzmq knows nothing of it any more.
        _ = zmq_disconnect(handle, endpoint.description)
        try connect(endpoint)
    }

    /// libzmq looks up no host's name to bind to it, as one may have several addresses.
    private static func noInterface(_ name: String, _ endpoint: Endpoint) -> ZeroMQError {
        ZeroMQError(
            .unavailable,
            "cannot bind \(endpoint): this host has no interface '\(name)'; where it is a host's name, write the address: "
                + "127.0.0.1 for this host alone, * for all of its addresses")
    }

    private func preparing(for endpoint: Endpoint) throws(ZeroMQError) {
        if endpoint.isIPv6 { try socket.set(ZMQ_IPV6, 1, "IPv6") }
    }

    private func lastEndpoint() throws(ZeroMQError) -> Endpoint {
        // Longer than any endpoint: a path of 107 bytes, or 45 bytes of address with a scope and a port.
        var buffer = [UInt8](repeating: 0, count: 256)
        var count = buffer.count
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &buffer, &count) == 0 else {
            throw ZeroMQError(zmq_errno(), "libzmq does not say what it bound")
        }
        // The NUL that ends it is counted.
        return try Endpoint(String(decoding: buffer.prefix(max(0, count - 1)), as: UTF8.self))
    }
}
