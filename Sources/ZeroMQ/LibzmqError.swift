import CZeroMQ

extension ZeroMQError {
    /// Says what an error number of libzmq means.
    ///
    /// - Parameters:
    ///   - number: What `zmq_errno`(3) gave.
    ///   - what: What failed, as the first words of the message.
    init(_ number: Int32, _ what: String) {
        switch number {
        case EADDRINUSE:
            self.init(.addressInUse, "\(what): the address is in use; does another program listen there?")
        case EADDRNOTAVAIL, ENODEV:
            self.init(.unavailable, "\(what): this host has no such address or interface")
        case EACCES:
            self.init(.unavailable, "\(what): permission denied")
        case EHOSTUNREACH:
            self.init(.unreachable, "\(what): no peer has that routing id")
        case EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO, EAFNOSUPPORT:
            self.init(.invalidArgument, "\(what): libzmq takes it for wrong (\(text(of: number)))")
        case ETERM:
            self.init(.terminated, "\(what): the context was shut down")
        case EMFILE:
            self.init(.systemError, "\(what): no descriptors or sockets are left; raise the limit of open files")
        default:
            self.init(.systemError, "\(what): \(text(of: number))")
        }
    }
}

private func text(of number: Int32) -> String {
    zmq_strerror(number).map { String(cString: $0) } ?? "error \(number)"
}
