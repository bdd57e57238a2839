import DedicatedThread
import Glibc
import Synchronization

/// An HTTP/1.1 server on loopback that does what a test says to each request, or has a real server do it: for the faults
/// that real servers cannot be asked for.
public final class ScriptedHTTP: Sendable {
    /// A request that came.
    public struct Request: Sendable {
        /// Its number, from 1.
        public let number: Int
        /// The method.
        public let method: String
        /// Path and query, as they were sent.
        public let target: String
        /// The headers, their names in lower case.
        public let headers: [String: String]
        /// The body.
        public let body: [UInt8]
        let head: [String]
    }

    /// What becomes of a request.
    public enum Step: Sendable {
        /// It is answered.
        case answer(Int, headers: [(String, String)] = [], body: String = "")
        /// These bytes are the answer, and the connection ends with them.
        case bytes([UInt8])
        /// There is no answer, and the connection stays.
        case silence
        /// The connection is reset.
        case reset
        /// The real server does it.
        case forward
        /// The real server does it, and its answer is thrown away: the connection stays, or is reset.
        case forwardInVain(resets: Bool)
        /// The real server does it, and its whole answer, head included, is changed.
        case forwardChanging(@Sendable (String) -> String)
    }

    /// The loopback port where it listens.
    public let port: Int
    private let target: Int?
    private let script: @Sendable (Request) -> Step
    private let listener: LoopbackListener
    private let state = Mutex(State())

    private struct State {
        var requests: [Request] = []
        var descriptors: Set<Int32> = []
        var isClosed = false
    }

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - port: The loopback port to listen at; by default any that is free.
    ///   - target: The loopback port of the real server, where there is one.
    ///   - script: What becomes of each request; it is called on several threads.
    /// - Throws: ``TestServerError`` when there is no port.
    public init(port: Int = 0, to target: Int? = nil, _ script: @escaping @Sendable (Request) -> Step) throws {
        listener = try LoopbackListener(port: port)
        self.port = listener.port
        self.target = target
        self.script = script
        DedicatedThread(name: "scripted-http").start { [self] in acceptConnections() }
    }

    /// The requests that came so far.
    public var requests: [Request] { state.withLock(\.requests) }

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
            let isClosed = state.withLock { state in
                if !state.isClosed { state.descriptors.insert(client) }
                return state.isClosed
            }
            if isClosed {
                Glibc.close(client)
                return
            }
            DedicatedThread(name: "scripted-http").start { [self] in
                serve(client)
                state.withLock { _ = $0.descriptors.remove(client) }
                Glibc.close(client)
            }
        }
    }

    private func serve(_ client: Int32) {
        var buffer: [UInt8] = []
        while let request = nextRequest(client, &buffer) {
            switch script(request) {
            case .answer(let status, let headers, let body):
                let bytes = Array(body.utf8)
                var lines = ["HTTP/1.1 \(status) Scripted"] + headers.map { "\($0.0): \($0.1)" }
                if !headers.contains(where: { $0.0 == "Content-Length" }) {
                    lines.append("Content-Length: \(bytes.count)")
                }
                let head = lines.map { $0 + "\r\n" }.joined() + "\r\n"
                send(Array(head.utf8) + (request.method == "HEAD" ? [] : bytes), to: client)
            case .bytes(let bytes):
                send(bytes, to: client)
                return
            case .silence: waitForEnd(client)
            case .reset: return resetOnClose(client)
            case .forward:
                send(forward(request), to: client)
                return
            case .forwardInVain(let resets):
                _ = forward(request)
                return resets ? resetOnClose(client) : waitForEnd(client)
            case .forwardChanging(let change):
                send(Array(change(String(decoding: forward(request), as: UTF8.self)).utf8), to: client)
                return
            }
        }
    }

    private func nextRequest(_ client: Int32, _ buffer: inout [UInt8]) -> Request? {
        var end: Int?
        repeat {
            end = buffer.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound
            if end == nil, !receive(client, &buffer) { return nil }
        } while end == nil
        guard let end else { return nil }
        let lines = String(decoding: buffer[..<(end - 4)], as: UTF8.self).split(separator: "\r\n").map(String.init)
        let words = lines.first?.split(separator: " ").map(String.init) ?? []
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let halves = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if halves.count == 2 { headers[halves[0].lowercased()] = String(halves[1].drop { $0 == " " }) }
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while buffer.count < end + length { if !receive(client, &buffer) { return nil } }
        let body = Array(buffer[end..<(end + length)])
        buffer.removeFirst(end + length)
        return state.withLock { state in
            let request = Request(
                number: state.requests.count + 1, method: words[0], target: words[1], headers: headers, body: body,
                head: lines)
            state.requests.append(request)
            return request
        }
    }

    /// Has the real server do a request.
    ///
    /// - Returns: Its whole answer.
    private func forward(_ request: Request) -> [UInt8] {
        guard let target else { return [] }
        let server = connectToLoopback(port: target)
        guard server >= 0 else { return [] }
        defer { Glibc.close(server) }
        let lines = request.head.filter { !$0.lowercased().hasPrefix("connection:") } + ["Connection: close", "", ""]
        send(Array(lines.joined(separator: "\r\n").utf8) + request.body, to: server)
        var answer: [UInt8] = []
        while receive(server, &answer) {}
        return answer
    }

    private func waitForEnd(_ client: Int32) {
        var rest: [UInt8] = []
        while receive(client, &rest) {}
    }

    private func receive(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 { bytes += buffer[..<count] }
        return count > 0
    }

    private func send(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private func resetOnClose(_ descriptor: Int32) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }
}
