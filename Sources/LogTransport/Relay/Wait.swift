internal import Glibc
internal import ZeroMQ

/// One thing that a thread waits on: an item of `zmq_poll`(3).
package struct Wait {
    /// A descriptor or a ZeroMQ socket.
    package enum Source {
        case descriptor(Int32)
        /// libzmq's handle of a socket that belongs to the waiting thread.
        case socket(UnsafeMutableRawPointer)
    }

    /// Which events end the wait.
    package struct Events: OptionSet, Sendable {
        package let rawValue: Int16

        package init(rawValue: Int16) { self.rawValue = rawValue }

        /// It can be read from; `ZMQ_POLLIN`, which is also `POLLIN`'s value.
        package static let input = Events(rawValue: 1)
        /// It can be written to; `ZMQ_POLLOUT`.
        package static let output = Events(rawValue: 2)
    }

    /// What is waited on.
    package let source: Source
    /// What for.
    package let events: Events

    /// Waits on `source` for `events`.
    package init(_ source: Source, _ events: Events) {
        self.source = source
        self.events = events
    }
}

extension Wait {
    /// Waits until one of several things is ready, or it is time.
    ///
    /// - Parameters:
    ///   - waits: What may be ready.
    ///   - deadline: When to return though nothing is; nil to wait for as long as it takes.
    /// - Throws: ``LogTransportError`` with code `systemError` when libzmq cannot wait on one of them.
    package static func any(
        of waits: [Wait], until deadline: ContinuousClock.Instant? = nil
    ) throws(LogTransportError) {
        var items = waits.map { PollItem($0) }
        do {
            try poll(&items, timeout: deadline.map { max(.zero, $0 - .now) })
        } catch {
            throw LogTransportError(.systemError, "the relay cannot wait for its input and sockets", cause: error)
        }
    }

    /// Whether nobody can write to a pipe any more.
    static func isHungUp(_ descriptor: Int32) -> Bool {
        var item = pollfd(fd: descriptor, events: 0, revents: 0)
        return Glibc.poll(&item, 1, 0) == 1
    }

    /// Whether a descriptor can be written to now, or says at once why not.
    static func isWritable(_ descriptor: Int32) -> Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return Glibc.poll(&item, 1, 0) == 1
    }

    /// Whether a descriptor can be read from now.
    package static func isReadable(_ descriptor: Int32) -> Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&item, 1, 0) == 1
    }
}

extension PollItem {
    /// What to give to `zmq_poll`(3) for a wait.
    init(_ wait: Wait) {
        let events = Events(rawValue: wait.events.rawValue)
        switch wait.source {
        case .descriptor(let number): self.init(descriptor: number, events)
        case .socket(let handle): self.init(socketHandle: handle, events)
        }
    }
}
