import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Sends requests to HTTP servers over connections that it keeps: what the stores on HTTP share.
///
/// All transports of a process share one thread, which starts with the first. Answers are collected whole, up to a limit
/// that the caller gives.
final class HTTPTransport: Sendable {
    /// How patient a transport is.
    struct Patience: Sendable {
        /// How long a connection may take, with TLS.
        var connecting: Duration = .seconds(5)
        /// How long no byte may come, or go, before a request is given up.
        var silence: Duration = .seconds(20)
    }

    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let client: HTTPClient
    private let isClosed = Atomic(false)

    /// Makes a transport; it connects when there is something to send.
    ///
    /// - Parameters:
    ///   - patience: How long it waits.
    ///   - connections: How many connections a server gets at most.
    ///   - authorities: A PEM file with the certificate authorities to trust, which is read here; `nil` for the system's.
    ///   - addresses: Where hosts are that are not looked up.
    /// - Throws: ``ObjectStoreError`` with the code `invalidArgument` for a file without authorities.
    init(
        patience: Patience = Patience(), connections: Int = 32, authorities: String? = nil,
        addresses: [String: String] = [:]
    ) throws(ObjectStoreError) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(
                connect: TimeAmount(patience.connecting), read: TimeAmount(patience.silence),
                write: TimeAmount(patience.silence)))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        // Shorter than servers keep idle connections, lest a request meet one that is just being closed.
        configuration.connectionPool.idleTimeout = .seconds(15)
        // The stores try again themselves, and know what may be tried again.
        configuration.connectionPool.retryConnectionEstablishment = false
        if let authorities {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .certificates(try Self.certificates(authorities))
            configuration.tlsConfiguration = tls
        }
        configuration.dnsOverride = addresses
        client = HTTPClient(eventLoopGroupProvider: .shared(Self.group), configuration: configuration)
    }

    private static func certificates(_ file: String) throws(ObjectStoreError) -> [NIOSSLCertificate] {
        do {
            return try NIOSSLCertificate.fromPEMFile(file)
        } catch {
            throw ObjectStoreError(
                .invalidArgument, "'\(file.visible)' has no certificate authorities in PEM that can be read",
                cause: error)
        }
    }

    deinit {
        guard !isClosed.load(ordering: .relaxed) else { return }
        // HTTPClient wants to be shut down before it goes.
        let client = client
        Task { try? await client.shutdown() }
    }

    /// Sends a request and collects the answer, whatever its status.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - limit: How many bytes the answer's body may have.
    ///   - deadline: When to give up.
    /// - Returns: The answer, with the whole body.
    /// - Throws: ``HTTPFailure``.
    func send(
        _ request: HTTPRequest, limit: Int, deadline: ContinuousClock.Instant
    ) async throws(HTTPFailure) -> HTTPResponse {
        guard !Task.isCancelled else { throw HTTPFailure(.cancelled, "it was cancelled") }
        guard !isClosed.load(ordering: .relaxed) else { throw HTTPFailure(.closed, "the store is closed") }
        var outgoing = HTTPClientRequest(
            url: "\(request.endpoint.isTLS ? "https" : "http")://\(request.endpoint.authority)\(request.target)")
        outgoing.method = request.method
        outgoing.headers.add(name: "Host", value: request.endpoint.authority)
        for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
        if let body = request.body { outgoing.body = .bytes(body) }

        let response: HTTPClientResponse
        do {
            response = try await client.execute(
                outgoing, deadline: .now() + TimeAmount(ContinuousClock.now.duration(to: deadline)))
        } catch {
            throw failure(error, hasHead: false)
        }
        let length =
            request.method == .HEAD ? nil : response.headers.first(name: "Content-Length").flatMap { Int($0) }
        if let length, length > limit {
            throw HTTPFailure(.tooLong, "it has \(length) bytes, and may have \(limit)")
        }
        var body: [UInt8] = []
        // No more than is worth it: the length is only what the server says.
        body.reserveCapacity(min(length ?? 0, 16 << 20))
        do {
            for try await part in response.body {
                guard part.readableBytes <= limit - body.count else {
                    throw HTTPFailure(.tooLong, "it has more than \(limit) bytes")
                }
                body.append(contentsOf: part.readableBytesView)
                // The client's own deadline ends with the head of the answer.
                guard ContinuousClock.now < deadline else { throw HTTPClientError.deadlineExceeded }
            }
        } catch let failure as HTTPFailure {
            throw failure
        } catch {
            throw failure(error, hasHead: true)
        }
        if let length, length != body.count {
            throw HTTPFailure(.truncated, "it has \(body.count) of \(length) bytes")
        }
        return HTTPResponse(status: Int(response.status.code), headers: response.headers, body: body)
    }

    /// Ends the connections; requests that wait fail.
    func close() async {
        guard !isClosed.exchange(true, ordering: .relaxed) else { return }
        try? await client.shutdown()
    }

    private func failure(_ error: any Error, hasHead: Bool) -> HTTPFailure {
        if isClosed.load(ordering: .relaxed) { return HTTPFailure(.closed, "the store is closed") }
        return HTTPFailure(error, hasHead: hasHead)
    }
}

extension TimeAmount {
    fileprivate init(_ duration: Duration) {
        self = .nanoseconds(max(0, Int64(duration / .nanoseconds(1))))
    }
}
