import NIOHTTP1

/// Uploads a large object in parts (S3 User Guide, "Uploading and copying objects using multipart upload").
///
/// No request is large, several are under way at once, and one that fails is repeated alone. The object appears with the
/// last request, which carries the condition.
struct MultipartUpload: Sendable {
    let key: ObjectKey
    let body: [UInt8]
    let condition: PutCondition
    let action: String
    let session: S3Session
    let partSize: Int

    private static let mostParts = 10_000
    private static let partsAtOnce = 4
    private static let attempts = 3

    /// Uploads the object.
    ///
    /// - Returns: Its tag.
    /// - Throws: ``ObjectStoreError``; what was uploaded is given up then.
    func run() async throws(ObjectStoreError) -> EntityTag {
        for _ in 0..<Self.attempts {
            let upload = try await begin()
            do throws(ObjectStoreError) {
                if let tag = try await complete(upload, try await uploadParts(upload)) { return tag }
            } catch {
                await abort(upload)
                throw error
            }
            await abort(upload)
        }
        throw ObjectStoreError(.throttled, "cannot \(action): other requests for the same object were in the way")
    }

    /// The parts of a body: none but the last smaller than asked for, and not more than S3 takes.
    static func parts(of count: Int, size: Int) -> [Range<Int>] {
        let size = max(size, (count + mostParts - 1) / mostParts)
        return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
    }

    private func begin() async throws(ObjectStoreError) -> String {
        // Whether one was begun in vain is nothing to the object: so this changes nothing.
        let response = try await session.perform(
            S3Operation(
                method: .POST, key: key, query: [(name: "uploads", value: "")],
                headers: [(name: "Content-Type", value: "application/octet-stream")], body: [], action: action))
        guard let root = XMLElement(response.body), root.name == "InitiateMultipartUploadResult",
            let id = root["UploadId"], !id.isEmpty
        else {
            throw ObjectStoreError(
                .unreachable,
                "cannot \(action): \(session.address.endpoint) answered without an upload's id; "
                    + "is it an S3 server?")
        }
        return id
    }

    private func uploadParts(_ upload: String) async throws(ObjectStoreError) -> [String] {
        let ranges = Self.parts(of: body.count, size: partSize)
        let results = await withTaskGroup(of: (Int, Result<String, ObjectStoreError>).self) { group in
            var (tags, next) = ([Result<String, ObjectStoreError>?](repeating: nil, count: ranges.count), 0)
            func start() {
                guard next < ranges.count else { return }
                let number = next
                next += 1
                group.addTask { (number, await part(number + 1, body[ranges[number]], of: upload)) }
            }
            for _ in 0..<Self.partsAtOnce { start() }
            for await (number, result) in group {
                tags[number] = result
                if case .failure = result {
                    group.cancelAll()
                    return [result]
                }
                start()
            }
            return tags.compactMap { $0 }
        }
        return try results.map { result throws(ObjectStoreError) in try result.get() }
    }

    private func part(
        _ number: Int, _ bytes: ArraySlice<UInt8>, of upload: String
    ) async -> Result<String, ObjectStoreError> {
        do throws(ObjectStoreError) {
            let response = try await session.perform(
                S3Operation(
                    method: .PUT, key: key,
                    query: [(name: "partNumber", value: "\(number)"), (name: "uploadId", value: upload)],
                    body: bytes, action: action))
            guard let tag = response["ETag"] else {
                throw ObjectStoreError(
                    .unreachable,
                    "cannot \(action): \(session.address.endpoint) took a part and answered without an ETag")
            }
            return .success(tag)
        } catch {
            return .failure(error)
        }
    }

    /// Puts the parts together.
    ///
    /// - Returns: The object's tag; `nil` after ConditionalRequestConflict, when all has to be uploaded again.
    private func complete(_ upload: String, _ tags: [String]) async throws(ObjectStoreError) -> EntityTag? {
        var document = "<CompleteMultipartUpload>"
        for (index, tag) in tags.enumerated() {
            let escaped = tag.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            document += "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(escaped)</ETag></Part>"
        }
        document += "</CompleteMultipartUpload>"
        let response = try await session.perform(
            S3Operation(
                method: .POST, key: key, query: [(name: "uploadId", value: upload)], body: Array(document.utf8)[...],
                condition: condition, action: action, changes: true, alsoAccepted: 409, acceptsInDoubt: false,
                answersEarly: true))
        guard response.status != 409 else { return nil }
        guard let root = XMLElement(response.body), root.name == "CompleteMultipartUploadResult",
            let tag = root["ETag"], !tag.isEmpty
        else {
            throw ObjectStoreError(
                .ambiguous,
                "cannot tell whether the attempt to \(action) succeeded: \(session.address.endpoint) "
                    + "answered the last request with something else than S3 does")
        }
        return EntityTag(tag)
    }

    /// Gives up what was uploaded: its parts would cost money for ever.
    ///
    /// Where this fails, the bucket's own rules have to see to it (AbortIncompleteMultipartUpload).
    private func abort(_ upload: String) async {
        var session = session
        session.retry.attempts = 2
        let operation = S3Operation(
            method: .DELETE, key: key, query: [(name: "uploadId", value: upload)],
            action: "give up an upload of '\(key)' to \(session.address)", alsoAccepted: 404)
        // A task of its own, for this one may be cancelled.
        await Task { [session] in _ = try? await session.perform(operation) }.value
    }
}
