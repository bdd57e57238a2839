import CivilTime
public import Logging
import NIOHTTP1

/// A bucket on Amazon S3, or on a server with its protocol.
///
/// Requests are signed (Signature Version 4, payload included), and tried again as ``RetryPolicy`` says where that is
/// right. A `put` with a condition is carried out once at most, or reported as `ambiguous`.
public final class S3ObjectStore: ObjectStore {
    /// The bucket, as in `s3://logs at http://127.0.0.1:9000`.
    public let description: String
    let session: S3Session
    let configuration: S3Configuration

    /// Describes a bucket; it is not asked until there is something to do.
    ///
    /// - Parameters:
    ///   - configuration: Where the bucket is, and who asks.
    ///   - logger: Where repeated attempts and a wrong clock are told.
    /// - Throws: ``ObjectStoreError`` with the code `invalidArgument`.
    public init(
        _ configuration: S3Configuration, logger: Logger = Logger(label: "libra.object-storage")
    ) throws(ObjectStoreError) {
        let address = try S3Address(configuration)
        self.configuration = configuration
        description = configuration.endpoint == nil ? "\(address)" : "\(address) at \(address.endpoint)"
        session = try S3Session(
            address: address, region: configuration.region, retry: configuration.retry,
            credentials: S3CredentialBox(configuration.credentials), clock: StoreClock(configuration.clock),
            transport: HTTPTransport(
                patience: HTTPTransport.Patience(
                    connecting: configuration.connectTimeout, silence: configuration.silence),
                authorities: configuration.authorityFile, addresses: configuration.addresses),
            logger: logger)
    }

    /// Writes an object; see ``ObjectStore/put(_:_:if:)``.
    ///
    /// A large one is uploaded in parts.
    @discardableResult
    public func put(
        _ key: ObjectKey, _ body: [UInt8], if condition: PutCondition
    ) async throws(ObjectStoreError) -> EntityTag {
        let action = "put '\(key)' into \(session.address)"
        if body.count >= configuration.multipartThreshold {
            return try await MultipartUpload(
                key: key, body: body, condition: condition, action: action, session: session,
                partSize: configuration.partSize
            ).run()
        }
        let response = try await session.perform(
            S3Operation(
                method: .PUT, key: key, headers: [(name: "Content-Type", value: "application/octet-stream")],
                body: body[...], condition: condition, action: action, changes: true))
        guard let tag = response["ETag"] else {
            throw ObjectStoreError(
                .ambiguous,
                "cannot tell whether the attempt to \(action) succeeded: "
                    + "\(session.address.endpoint) answered without an ETag; is it an S3 server?")
        }
        return EntityTag(tag)
    }

    /// Reads an object; see ``ObjectStore/get(_:range:)``.
    public func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject {
        try key.check(range)
        if let range, range.isEmpty { return StoredObject(info: try await head(key), bytes: []) }
        var operation = S3Operation(
            method: .GET, key: key, action: "read '\(key)' from \(session.address)",
            limit: configuration.maximumAnswer)
        if let range {
            operation.headers = [(name: "Range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
            operation.alsoAccepted = 416
        }
        let response = try await session.perform(operation)
        switch response.status {
        case 416: return StoredObject(info: try await head(key), bytes: [])
        case 206:
            guard let range, let got = ContentRange(response["Content-Range"]), got.first == range.lowerBound,
                got.count == response.body.count, got.count == range.clamped(to: 0..<got.size).count
            else { throw strange(operation.action, "a range other than the one asked for") }
            return StoredObject(
                info: try info(key, size: got.size, response, operation.action), bytes: response.body)
        default:
            let size = response.body.count
            let info = try info(key, size: size, response, operation.action)
            let part = range.part(ofSize: size)
            return StoredObject(info: info, bytes: part.count == size ? response.body : Array(response.body[part]))
        }
    }

    /// Tells what is known of an object; see ``ObjectStore/head(_:)``.
    public func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
        let action = "look at '\(key)' in \(session.address)"
        let response = try await session.perform(S3Operation(method: .HEAD, key: key, action: action))
        guard let size = response["Content-Length"].flatMap({ objectSize($0) }) else {
            throw strange(action, "no length")
        }
        return try info(key, size: size, response, action)
    }

    /// Lists a page of objects; see ``ObjectStore/list(_:)``.
    ///
    /// Objects whose keys break the rules of ``ObjectKey``, such as `folder/`, are left out.
    public func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage {
        try query.check()
        let action = "list '\(query.prefix.visible)' in \(session.address)"
        var continuation: String?
        while true {
            let response = try await session.perform(
                S3Operation(
                    method: .GET, query: query.parameters(continuation: continuation), action: action, limit: 16 << 20))
            guard let listing = S3Listing(response.body) else { throw strange(action, "no listing") }
            let page = listing.page(behind: query.startAfter)
            continuation = listing.continuation
            // What was left out may have been all of a page.
            guard page.objects.isEmpty && page.folders.isEmpty && continuation != nil else { return page }
        }
    }

    /// Deletes an object; see ``ObjectStore/delete(_:)``.
    public func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
        let operation = S3Operation(
            method: .DELETE, key: key, action: "delete '\(key)' from \(session.address)", changes: true,
            alsoAccepted: 404)
        let response = try await session.perform(operation)
        guard response.status == 404, let fault = S3Fault(response), fault.code == "NoSuchBucket" else { return }
        throw session.refusal(fault, of: operation, to: try await session.credentials.current())
    }

    /// Ends the connections; see ``ObjectStore/close()``.
    public func close() async { await session.transport.close() }

    private func info(
        _ key: ObjectKey, size: Int, _ response: HTTPResponse, _ action: String
    ) throws(ObjectStoreError) -> ObjectInfo {
        guard let tag = response["ETag"], let modified = response["Last-Modified"].flatMap({ UTCTime(httpDate: $0) })
        else { throw strange(action, "no ETag or no time") }
        return ObjectInfo(key: key, size: size, tag: EntityTag(tag), modified: modified)
    }

    private func strange(_ action: String, _ what: String) -> ObjectStoreError {
        ObjectStoreError(
            .unreachable,
            "cannot \(action): \(session.address.endpoint) answered with \(what); is it an S3 server?")
    }
}

/// What `Content-Range` says (RFC 9110, section 14.4): `bytes 0-9/100`.
struct ContentRange {
    let first: Int
    let count: Int
    let size: Int

    init?(_ text: String?) {
        guard let text, text.hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        let ends = parts.first?.split(separator: "-", omittingEmptySubsequences: false) ?? []
        guard parts.count == 2, ends.count == 2, let first = Int(ends[0]), let last = Int(ends[1]),
            let size = objectSize(parts[1]), 0 <= first, first <= last, last < size
        else { return nil }
        self.first = first
        count = last - first + 1
        self.size = size
    }
}
