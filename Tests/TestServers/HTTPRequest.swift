import DedicatedThread
import Glibc

/// What came back for an HTTP request.
public struct HTTPAnswer: Sendable {
    /// The status, 200 for instance; 0 when nothing came back.
    public let status: Int
    /// Head and body as they came.
    public let text: String

    /// What follows the head, without line ends around it.
    public var body: String {
        let body = text.split(separator: "\r\n\r\n", maxSplits: 1).dropFirst().first ?? ""
        return body.split(whereSeparator: \.isNewline).joined(separator: "\n")
    }
}

/// Sends `GET /` to a loopback port.
///
/// - Returns: The answer; nil when nobody listens there.
public func requestHTTP(port: Int) async -> HTTPAnswer? {
    await exchangeHTTP("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", port: port)
}

/// Sends a request, as it is, to a loopback port.
///
/// - Returns: The answer; nil when nobody listens there.
func exchangeHTTP(_ request: String, port: Int) async -> HTTPAnswer? {
    await DedicatedThread(name: "http-request").run {
        let descriptor = connectToLoopback(port: port)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        setPatience(of: descriptor, seconds: 5)
        guard sendAll(request, to: descriptor) else { return nil }
        let text = receive(descriptor)
        let words = text.prefix { $0 != "\r\n" }.split(separator: " ")
        return HTTPAnswer(status: words.count > 1 ? Int(words[1]) ?? 0 : 0, text: text)
    }
}

private func setPatience(of descriptor: Int32, seconds: Int) {
    var patience = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
}

private func sendAll(_ text: String, to descriptor: Int32) -> Bool {
    let bytes = Array(text.utf8)
    return send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
}

/// Reads until the other end closes.
private func receive(_ descriptor: Int32) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 { bytes += buffer[..<count] }
    return String(decoding: bytes, as: UTF8.self)
}
