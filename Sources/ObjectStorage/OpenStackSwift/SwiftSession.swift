import NIOHTTP1

/// A request to a container, before the token is added.
struct SwiftOperation: Sendable {
    /// What is asked for.
    var method: HTTPMethod
    /// The object; `nil` for the container itself.
    var key: ObjectKey?
    /// The parameters, not encoded.
    var query: [(name: String, value: String)] = []
    /// The headers, without the token.
    var headers: [(name: String, value: String)] = []
    /// The body.
    var body: ArraySlice<UInt8>?
    /// Whether it is to be done only where there is no object.
    var isConditional = false
    /// What it is, as in `put 'a/b' into swift://logs`.
    var action: String
    /// How many bytes the answer may have.
    var limit = 1 << 20
    /// Statuses that are no errors although they do not begin with a 2.
    var alsoAccepted: Set<Int> = []

    /// Whether it changes something.
    var changes: Bool { method == .PUT || method == .DELETE }
}

/// Sends requests to one container, and tries them again where that is right.
struct SwiftSession: Sendable {
    let endpoint: HTTPEndpoint
    let container: String
    let token: String
    let retry: RetryPolicy
    let transport: HTTPTransport

    /// Has an operation done.
    ///
    /// - Returns: The answer of a server that did it.
    /// - Throws: ``ObjectStoreError``. Once an attempt under a condition may have been carried out, every failure of a
    ///   later one is `ambiguous`: also that there is an object, for it may be its own.
    func perform(_ operation: SwiftOperation) async throws(ObjectStoreError) -> HTTPResponse {
        let deadline = ContinuousClock.now + retry.deadline
        var isUnclear = false
        var attempts = 0
        while true {
            attempts += 1
            let fault: ObjectStoreError
            let isTriedAgain: Bool
            do throws(HTTPFailure) {
                let response = try await transport.send(request(operation), limit: operation.limit, deadline: deadline)
                if 200..<300 ~= response.status || operation.alsoAccepted.contains(response.status) { return response }
                fault = refusal(response, of: operation)
                isTriedAgain = fault.isRetriable
            } catch {
                fault = error.error(operation.action, at: endpoint, changes: operation.changes)
                isTriedAgain = [.notSent, .noAnswer, .truncated].contains(error.kind)
            }
            if fault.code == .ambiguous { isUnclear = true }
            let outcome = settled(fault, operation, isUnclear)
            guard isTriedAgain else { throw outcome }
            try await pause(behind: attempts, until: deadline, outcome, operation)
        }
    }

    private func request(_ operation: SwiftOperation) -> HTTPRequest {
        let key = operation.key.map { "/" + percentEncoded($0.description, keepsSlashes: true) } ?? ""
        let query = operation.query.map { "\($0.name)=\(percentEncoded($0.value))" }.joined(separator: "&")
        return HTTPRequest(
            method: operation.method, endpoint: endpoint, path: "/\(percentEncoded(container))\(key)", query: query,
            headers: operation.headers + [(name: "X-Auth-Token", value: token)], body: operation.body)
    }

    private func pause(
        behind attempts: Int, until deadline: ContinuousClock.Instant, _ fault: ObjectStoreError,
        _ operation: SwiftOperation
    ) async throws(ObjectStoreError) {
        var generator = SystemRandomNumberGenerator()
        let pause = retry.pause(behind: attempts, using: &generator)
        guard attempts < retry.attempts, ContinuousClock.now + pause < deadline else { throw fault }
        do {
            try await Task.sleep(for: pause)
        } catch {
            throw ObjectStoreError(.cancelled, "cannot \(operation.action): cancelled")
        }
    }

    /// What an operation comes to when its last attempt failed.
    private func settled(
        _ fault: ObjectStoreError, _ operation: SwiftOperation, _ isUnclear: Bool
    ) -> ObjectStoreError {
        guard isUnclear, fault.code != .ambiguous else { return fault }
        return ObjectStoreError(
            .ambiguous,
            "cannot tell whether an earlier attempt to \(operation.action) succeeded; the last one: \(fault.message)",
            cause: fault.cause)
    }

    /// What a server's refusal means, and what can be done about it.
    private func refusal(_ response: HTTPResponse, of operation: SwiftOperation) -> ObjectStoreError {
        func error(_ code: ObjectStoreError.Code, _ reason: String) -> ObjectStoreError {
            ObjectStoreError(code, "cannot \(operation.action): \(reason)")
        }
        switch response.status {
        case 401: return error(.denied, "\(endpoint) does not take the token, or no more: get another one")
        case 403: return error(.denied, "\(endpoint) does not let the owner of the token do that; see to the ACLs")
        case 404 where operation.key != nil && operation.method != .PUT:
            return error(.notFound, "there is no such object, or no container '\(container)'")
        case 404: return error(.notFound, "\(endpoint) has no container '\(container)'; create it, or name another")
        case 412 where operation.isConditional:
            return error(.preconditionFailed, "there is an object of that name already")
        case 408: return error(.unreachable, "the request did not arrive whole at \(endpoint)")
        case 413: return error(.full, "\(endpoint) takes no more, by a quota or for the object's size (status 413)")
        case 422: return error(.corrupt, "what arrived at \(endpoint) has another MD5 than what was sent")
        case 429, 498, 503: return error(.throttled, "\(endpoint) asks for fewer requests (status \(response.status))")
        case 507: return error(.full, "\(endpoint) has no room")
        case 500... where operation.changes:
            return ObjectStoreError(
                .ambiguous,
                "cannot tell whether the attempt to \(operation.action) succeeded: \(endpoint) failed "
                    + "(status \(response.status))")
        case 500...: return error(.unreachable, "\(endpoint) failed (status \(response.status))")
        default: return error(.systemError, "\(endpoint) refused it (status \(response.status))")
        }
    }
}
