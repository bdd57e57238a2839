import Glibc

/// A TCP connection for questions and answers in lines; blocks its thread, never past a deadline.
struct TextConnection: ~Copyable {
    /// How an answer ends.
    enum End {
        /// With its first line.
        case line
        /// With a line that holds a dot alone.
        case dot
    }

    /// What a job server with a hundred thousand connections says is a tenth of it.
    private static let longestAnswer = 64 << 20

    private let descriptor: Int32
    private let server: JobServer

    /// Connects to the first address of a job server that accepts.
    init(to server: JobServer, before deadline: ContinuousClock.Instant) throws(GearmanError) {
        let addresses = try Resolver.addresses(of: server, before: deadline, interrupter: Interrupter())
        var failure = ""
        for (index, address) in addresses.enumerated() {
            let share = ContinuousClock.now.duration(to: deadline) / (addresses.count - index)
            switch connect(address, before: .now + share) {
            case .success(let descriptor):
                self.descriptor = descriptor
                self.server = server
                return
            case .failure(let error):
                failure = "\(address): \(String(cString: strerror(error.rawValue)))"
            }
        }
        throw GearmanError(
            .notConnected, "no connection to job server \(server) (\(failure)); is gearmand running there?")
    }

    deinit { close(descriptor) }

    func send(_ text: String, before deadline: ContinuousClock.Instant) throws(GearmanError) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else {
                try waitAfterFailure(for: POLLOUT, before: deadline)
            }
        }
    }

    func receive(until end: End, before deadline: ContinuousClock.Instant) throws(GearmanError) -> String {
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !isComplete(answer, end) {
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count > 0 {
                answer += buffer[..<count]
            } else if count == 0 {
                throw GearmanError(.connectionLost, "job server \(server) closed the connection amid its answer")
            } else {
                try waitAfterFailure(for: POLLIN, before: deadline)
            }
            guard answer.count <= Self.longestAnswer else {
                throw GearmanError(.protocolViolation, "the answer of job server \(server) has no end")
            }
        }
        return String(decoding: answer, as: UTF8.self)
    }

    private func isComplete(_ answer: [UInt8], _ end: End) -> Bool {
        switch end {
        case .line: answer.last == UInt8(ascii: "\n")
        case .dot: answer == Array(".\n".utf8) || answer.suffix(3) == Array("\n.\n".utf8)[...]
        }
    }

    private func waitAfterFailure(for events: Int32, before deadline: ContinuousClock.Instant) throws(GearmanError) {
        let reason = errno
        if reason == EINTR { return }
        guard reason == EAGAIN else {
            throw GearmanError(
                .connectionLost, "the connection to job server \(server) was lost: \(String(cString: strerror(reason)))"
            )
        }
        guard wait(for: events, on: descriptor, before: deadline) else {
            throw GearmanError(.timedOut, "job server \(server) did not answer in time")
        }
    }
}

private struct SystemFailure: Error { var rawValue: Int32 }

private func connect(
    _ address: SocketAddress, before deadline: ContinuousClock.Instant
) -> Result<Int32, SystemFailure> {
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(address.family, kind, 0)
    guard descriptor >= 0 else { return .failure(SystemFailure(rawValue: errno)) }
    var failure: Int32 = 0
    if address.withSocketAddress({ Glibc.connect(descriptor, $0, $1) }) != 0 {
        failure = errno
        if failure == EINPROGRESS {
            var length = socklen_t(MemoryLayout<Int32>.size)
            if !wait(for: POLLOUT, on: descriptor, before: deadline) {
                failure = ETIMEDOUT
            } else if getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length) != 0 {
                failure = errno
            }
        }
    }
    guard failure != 0 else { return .success(descriptor) }
    close(descriptor)
    return .failure(SystemFailure(rawValue: failure))
}

/// Waits for events; `false` when they did not come before the deadline.
private func wait(for events: Int32, on descriptor: Int32, before deadline: ContinuousClock.Instant) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    while true {
        let count = poll(&entry, 1, ContinuousClock.now.duration(to: deadline).milliseconds)
        if count > 0 { return true }
        if count == 0 || errno != EINTR { return false }
    }
}
