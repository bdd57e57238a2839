import CivilTime
import Crypto
import NIOHTTP1

/// A container of OpenStack Swift (Object Storage API v1), with a token and a storage URL.
///
/// - What is put is sent with its MD5, which Swift compares, and what comes back is compared with the object's `ETag`. Parts
///   of objects, and large objects that were put together of segments, have no MD5 to compare.
/// - ``PutCondition/absent`` is `If-None-Match: *`. Swift looks before it writes, on each of its hosts for itself: of puts
///   that race more than one can be told that it won.
/// - ``PutCondition/matches(_:)`` is refused as `unsupported`, since Swift ignores `If-Match` when it writes.
/// - Listings can lag behind.
public final class OpenStackSwiftObjectStore: ObjectStore {
    /// The container, as in `swift://logs at https://swift.example/v1/AUTH_libra`.
    public let description: String

    private let session: SwiftSession
    private let maximumAnswer: Int

    /// Describes a container; it is not asked until there is something to do.
    ///
    /// - Throws: ``ObjectStoreError`` with the code `invalidArgument`.
    public init(_ configuration: OpenStackSwiftConfiguration) throws(ObjectStoreError) {
        let endpoint = try HTTPEndpoint(configuration.storageURL)
        let container = configuration.container
        guard !endpoint.path.isEmpty else {
            throw ObjectStoreError(
                .invalidArgument,
                "'\(endpoint)' is no storage URL: it names the account too, as in https://swift.example/v1/AUTH_libra")
        }
        // OpenStack's limit, and a name without what would part a path.
        guard 1...256 ~= container.utf8.count, !container.contains("/") else {
            throw ObjectStoreError(
                .invalidArgument, "'\(container.visible)' is no container: a name has 1 to 256 bytes, and no '/'")
        }
        guard !configuration.token.isEmpty, configuration.token.utf8.allSatisfy({ 0x21...0x7e ~= $0 }) else {
            throw ObjectStoreError(.invalidArgument, "a token has at least one character, and all are of ASCII")
        }
        description = "swift://\(container.visible) at \(endpoint)"
        maximumAnswer = configuration.maximumAnswer
        session = try SwiftSession(
            endpoint: endpoint, container: container, token: configuration.token, retry: configuration.retry,
            transport: HTTPTransport(
                patience: HTTPTransport.Patience(
                    connecting: configuration.connectTimeout, silence: configuration.silence),
                authorities: configuration.authorityFile))
    }

    /// Writes an object; see ``ObjectStore/put(_:_:if:)``.
    @discardableResult
    public func put(
        _ key: ObjectKey, _ body: [UInt8], if condition: PutCondition
    ) async throws(ObjectStoreError) -> EntityTag {
        let digest = hexadecimal(Insecure.MD5.hash(data: body))
        var operation = SwiftOperation(
            method: .PUT, key: key,
            headers: [(name: "ETag", value: digest), (name: "Content-Type", value: "application/octet-stream")],
            body: body[...], action: "put '\(key)' into \(self)")
        switch condition {
        case .always: break
        case .absent:
            operation.isConditional = true
            operation.headers.append((name: "If-None-Match", value: "*"))
        case .matches:
            throw ObjectStoreError(
                .unsupported,
                "cannot \(operation.action): OpenStack Swift has no puts that replace only a certain object")
        }
        let response = try await session.perform(operation)
        guard let tag = response.tag else {
            throw ObjectStoreError(
                .ambiguous,
                "cannot tell whether the attempt to \(operation.action) succeeded: \(session.endpoint) answered without an "
                    + "ETag; is it an OpenStack Swift server?")
        }
        guard tag == digest else {
            throw ObjectStoreError(
                .corrupt, "cannot \(operation.action): what was stored has the MD5 \(tag), not \(digest)")
        }
        return EntityTag(digest)
    }

    /// Reads an object; see ``ObjectStore/get(_:range:)``.
    public func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject {
        try key.check(range)
        if let range, range.isEmpty { return StoredObject(info: try await head(key), bytes: []) }
        var operation = SwiftOperation(
            method: .GET, key: key, action: "read '\(key)' from \(self)", limit: maximumAnswer)
        if let range {
            operation.headers = [(name: "Range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
            operation.alsoAccepted = [416]
        }
        let response = try await session.perform(operation)
        switch response.status {
        case 416: return StoredObject(info: try await head(key), bytes: [])
        case 206:
            let size = response["Content-Range"]?.split(separator: "/").last.flatMap { objectSize($0) }
            guard let size, range.part(ofSize: size).count == response.body.count else {
                throw strange(operation.action, "a range other than the one asked for")
            }
            return StoredObject(info: try info(key, size, response, operation.action), bytes: response.body)
        default:
            let body = response.body
            let info = try info(key, body.count, response, operation.action)
            let digest = hexadecimal(Insecure.MD5.hash(data: body))
            guard info.tag.description == digest || response.isOfSegments else {
                throw ObjectStoreError(
                    .corrupt, "cannot \(operation.action): what came has the MD5 \(digest), and the object \(info.tag)")
            }
            let part = range.part(ofSize: body.count)
            return StoredObject(
                info: info, bytes: part.count == body.count ? body : Array(body[part]))
        }
    }

    /// Tells what is known of an object; see ``ObjectStore/head(_:)``.
    public func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
        let operation = SwiftOperation(method: .HEAD, key: key, action: "look at '\(key)' in \(self)")
        let response = try await session.perform(operation)
        guard let size = response["Content-Length"].flatMap({ objectSize($0) }) else {
            throw strange(operation.action, "no length")
        }
        return try info(key, size, response, operation.action)
    }

    /// Lists a page of objects; see ``ObjectStore/list(_:)``.
    ///
    /// Objects whose keys break the rules of ``ObjectKey``, such as `folder/`, are left out.
    public func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage {
        try query.check()
        let action = "list '\(query.prefix.visible)' in \(self)"
        var marker = query.startAfter
        while true {
            let response = try await session.perform(
                SwiftOperation(
                    method: .GET, query: query.parameters(behind: marker), action: action, limit: 16 << 20))
            // A container without any object is answered without a body by some versions.
            guard let listing = response.status == 204 ? SwiftListing() : SwiftListing(response.body) else {
                throw strange(action, "no listing")
            }
            let page = listing.page(of: query)
            marker = page.next
            // What was left out may have been all of a page.
            if page.objects.isEmpty && page.folders.isEmpty && page.next != nil { continue }
            return page
        }
    }

    /// Deletes an object; see ``ObjectStore/delete(_:)``.
    public func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
        _ = try await session.perform(
            SwiftOperation(method: .DELETE, key: key, action: "delete '\(key)' from \(self)", alsoAccepted: [404]))
    }

    /// Ends the connections; see ``ObjectStore/close()``.
    public func close() async { await session.transport.close() }

    private func info(
        _ key: ObjectKey, _ size: Int, _ response: HTTPResponse, _ action: String
    ) throws(ObjectStoreError) -> ObjectInfo {
        guard let tag = response.tag, let modified = response.modified else {
            throw strange(action, "no ETag or no time")
        }
        return ObjectInfo(key: key, size: size, tag: EntityTag(tag), modified: modified)
    }

    private func strange(_ action: String, _ what: String) -> ObjectStoreError {
        ObjectStoreError(
            .unreachable,
            "cannot \(action): \(session.endpoint) answered with \(what); is it an OpenStack Swift server?")
    }
}

extension HTTPResponse {
    /// The object's tag, its MD5 unless it was put together of segments; Swift writes it without quotes.
    fileprivate var tag: String? { self["ETag"].map { String($0.filter { $0 != "\"" }) } }

    /// Whether the tag is not the MD5 of what comes.
    fileprivate var isOfSegments: Bool {
        self["X-Static-Large-Object"] != nil || self["X-Object-Manifest"] != nil
    }

    /// When the object was written: `Last-Modified` is rounded up to whole seconds, `X-Timestamp` is not.
    var modified: UTCTime? {
        let parts = self["X-Timestamp"]?.split(separator: ".") ?? []
        // Up to the year 9999, which is as far as times go.
        if parts.count == 2, let seconds = Int64(parts[0]), 0..<253_402_300_800 ~= seconds,
            let fraction = Int64((parts[1] + "000000").prefix(6)), fraction >= 0
        {
            return UTCTime(microseconds: seconds * 1_000_000 + fraction)
        }
        return self["Last-Modified"].flatMap { UTCTime(httpDate: $0) }
    }
}
