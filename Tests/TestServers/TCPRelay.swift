import Glibc
import Synchronization

/// A TCP relay on loopback that can turn bad: for the faults that a network makes and a kernel here cannot.
///
/// One thread waits for connections and one carries each direction of each connection, until ``close()``.
public final class TCPRelay: Sendable {
    /// How the relay treats connections.
    public enum Behaviour: Sendable {
        /// Carries bytes both ways.
        case forward
        /// Accepts, reads what comes, and never answers.
        case blackHole
        /// Ends every connection with a reset.
        case reset
        /// Ends a connection in place of carrying what has this text in it.
        case endBefore(String)
        /// Goes on reading from whoever sends something with this text in it, and carries nothing of it or after it.
        case discardFrom(String)
    }

    /// The loopback port where the relay listens.
    public let port: Int
    private let target: Int
    private let listener: LoopbackListener
    private let state: Mutex<State>

    private struct State {
        var behaviour: Behaviour
        var descriptors: Set<Int32> = []
        var isClosed = false
        var interventions = 0
    }

    /// Starts a relay.
    ///
    /// - Parameters:
    ///   - target: The loopback port to which it carries connections.
    ///   - behaviour: What it does first.
    /// - Throws: ``TestServerError`` when there is no port.
    public init(to target: Int, behaviour: Behaviour = .forward) throws {
        listener = try LoopbackListener()
        port = listener.port
        self.target = target
        state = Mutex(State(behaviour: behaviour))
        startThread { [self] in acceptConnections() }
    }

    /// How often something was kept back for the text that it had.
    public var interventions: Int { state.withLock(\.interventions) }

    /// Changes how connections are treated, those that are open included.
    public func become(_ behaviour: Behaviour) {
        state.withLock { state in
            state.behaviour = behaviour
            guard case .reset = behaviour else { return }
            for descriptor in state.descriptors { resetConnection(descriptor) }
        }
    }

    /// Stops listening and ends every connection.
    public func close() {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            shutdown(listener.descriptor, Int32(SHUT_RDWR))
            for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private func acceptConnections() {
        defer { listener.close() }
        while case let client = accept(listener.descriptor, nil, nil), client >= 0 {
            let upstream = state.withLock { state -> Int32? in
                if case .reset = state.behaviour {
                    resetConnection(client)
                    return nil
                }
                state.descriptors.insert(client)
                return connectToLoopback(port: target)
            }
            guard let upstream else {
                state.withLock { _ = $0.descriptors.remove(client) }
                Glibc.close(client)
                continue
            }
            state.withLock { _ = $0.descriptors.insert(upstream) }
            startThread { [self] in
                let back = startThread { self.carry(from: upstream, to: client) }
                carry(from: client, to: upstream)
                if let back { pthread_join(back, nil) }
                state.withLock { state in
                    for descriptor in [client, upstream] where state.descriptors.remove(descriptor) != nil {
                        Glibc.close(descriptor)
                    }
                }
            }
        }
    }

    private func contains(_ text: String, _ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.contains(Array(text.utf8)) else { return false }
        state.withLock { $0.interventions += 1 }
        return true
    }

    private func carry(from source: Int32, to destination: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var isDiscarding = false
        while case let count = recv(source, &buffer, buffer.count, 0), count > 0 {
            switch state.withLock({ $0.behaviour }) {
            case .blackHole: continue
            case .endBefore(let text) where contains(text, buffer[..<count]):
                shutdown(source, Int32(SHUT_RDWR))
                shutdown(destination, Int32(SHUT_RDWR))
                return
            case .discardFrom(let text) where contains(text, buffer[..<count]): isDiscarding = true
            default: break
            }
            if isDiscarding { continue }
            var sent = 0
            while sent < count {
                let step = buffer.withUnsafeBytes { bytes in
                    send(destination, bytes.baseAddress?.advanced(by: sent), count - sent, Int32(MSG_NOSIGNAL))
                }
                guard step > 0 else { break }
                sent += step
            }
        }
        switch state.withLock({ $0.behaviour }) {
        case .blackHole, .reset: break
        case .forward, .endBefore, .discardFrom: shutdown(destination, Int32(SHUT_WR))
        }
    }
}

/// Makes the peer see a reset at the coming `close`, which is what `SO_LINGER` with a time of zero is for, and lets the
/// thread that reads here go there.
private func resetConnection(_ descriptor: Int32) {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    shutdown(descriptor, Int32(SHUT_RD))
}

@discardableResult
private func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let status = pthread_create(
        &thread, nil,
        { context in
            guard let context else { return nil }
            Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    return status == 0 ? thread : nil
}
