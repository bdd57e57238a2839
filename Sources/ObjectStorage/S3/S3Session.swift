import CivilTime
import Crypto
import Logging
import NIOHTTP1

/// Signs requests to one bucket, sends them, and tries them again where that is right.
struct S3Session: Sendable {
    let address: S3Address
    let region: String
    var retry: RetryPolicy
    let credentials: S3CredentialBox
    let clock: StoreClock
    let transport: HTTPTransport
    let logger: Logger

    /// Has an operation done.
    ///
    /// - Returns: The answer of a server that did it.
    /// - Throws: ``ObjectStoreError``. Once an attempt to change something may have been carried out, every failure of
    ///   a later one is `ambiguous`: also that the condition does not hold, for the object that is there may be its own.
    func perform(_ operation: S3Operation) async throws(ObjectStoreError) -> HTTPResponse {
        let deadline = ContinuousClock.now + retry.deadline
        var course = Course(operation: operation)
        while true {
            let who = try await course.settling { () throws(ObjectStoreError) in try await credentials.current() }
            course.attempts += 1
            let time = clock.now
            let response: HTTPResponse
            do throws(HTTPFailure) {
                response = try await attempt(operation, as: who, at: time, until: deadline)
            } catch {
                let isLost = error.kind == .noAnswer || error.kind == .truncated
                if isLost && operation.changes { course.isUnclear = true }
                let fault = error.error(
                    operation.action, at: address.endpoint, changes: operation.changes, nameAdvice: address.nameAdvice)
                guard error.kind != .untrusted else { throw course.settled(fault) }
                guard isLost || error.kind == .notSent else { throw fault }
                try await pause(course, after: fault, atLeast: nil, until: deadline)
                continue
            }
            let isAccepted = operation.acceptsInDoubt || !course.isUnclear
            guard response.status != operation.alsoAccepted || !isAccepted,
                let fault = S3Fault(response, answersEarly: operation.answersEarly)
            else { return response }
            switch fault.verdict {
            case .later, .unclear:
                if fault.verdict == .unclear && operation.changes { course.isUnclear = true }
                let error = refusal(fault, of: operation, to: who)
                try await pause(
                    course, after: error, atLeast: response["Retry-After"].flatMap { Int($0) }, until: deadline)
                continue
            // An answer to HEAD has no code: the clock may be all that is wrong.
            case .skewed,
                .unknownCredentials where fault.code == nil:
                if course.attempts < retry.attempts, learnTime(from: response, signed: time) { continue }
            case .refused, .unknownCredentials: break
            }
            if fault.verdict == .unknownCredentials, !course.hasReadCredentials {
                course.hasReadCredentials = true
                if try await course.settling({ () throws(ObjectStoreError) in try await credentials.replace(who) }) {
                    continue
                }
            }
            throw course.settled(refusal(fault, of: operation, to: who))
        }
    }

    private func attempt(
        _ operation: S3Operation, as who: S3Credentials, at time: UTCTime, until deadline: ContinuousClock.Instant
    ) async throws(HTTPFailure) -> HTTPResponse {
        let key = operation.key.map { "/" + percentEncoded($0.description, keepsSlashes: true) }
        let path = address.bucketPath + (key ?? (address.bucketPath.isEmpty ? "/" : ""))
        let hash = operation.body.map { hexadecimal(SHA256.hash(data: $0)) } ?? emptyHash
        var headers = operation.headers + [(name: "x-amz-content-sha256", value: hash)]
        if let condition = operation.condition.header { headers.append(condition) }
        let signed = SignatureV4(credentials: who, region: region).headers(
            method: operation.method.rawValue, path: address.endpoint.path + path, query: operation.query,
            headers: headers + [(name: "host", value: address.endpoint.authority)], payloadHash: hash, time: time)
        let request = HTTPRequest(
            method: operation.method, endpoint: address.endpoint, path: path,
            query: SignatureV4.queryString(operation.query), headers: headers + signed, body: operation.body)
        return try await transport.send(request, limit: operation.limit, deadline: deadline)
    }

    /// Waits before the next attempt.
    ///
    /// - Throws: What the last attempt came to, when there is to be no other.
    private func pause(
        _ course: Course, after error: ObjectStoreError, atLeast seconds: Int?, until deadline: ContinuousClock.Instant
    ) async throws(ObjectStoreError) {
        var generator = SystemRandomNumberGenerator()
        var pause = retry.pause(behind: course.attempts, using: &generator)
        if let seconds { pause = max(pause, min(.seconds(seconds), retry.longestPause)) }
        guard course.attempts < retry.attempts, ContinuousClock.now + pause < deadline else {
            throw course.settled(error)
        }
        logger.debug(
            "a request to the object store is tried again",
            metadata: ["attempt": "\(course.attempts)", "error": "\(error)"])
        do {
            try await Task.sleep(for: pause)
        } catch {
            throw ObjectStoreError(.cancelled, "cannot \(course.operation.action): cancelled")
        }
    }

    /// Learns the store's time.
    ///
    /// - Returns: Whether the request was signed with another time: then it may be right with that of the store.
    private func learnTime(from response: HTTPResponse, signed: UTCTime) -> Bool {
        let lesson = clock.learn(from: response["Date"], signed: signed)
        if lesson == .new {
            logger.warning(
                "this host's clock differs from the object store's: requests are signed with the store's time; set the clock",
                metadata: ["seconds-ahead": "\(clock.secondsAhead)", "endpoint": "\(address.endpoint)"])
        }
        return lesson != .none
    }
}

/// What became of an operation so far.
private struct Course {
    let operation: S3Operation
    var attempts = 0
    /// Whether an attempt may have been carried out although it failed.
    var isUnclear = false
    /// Whether credentials were read anew, which helps once at most.
    var hasReadCredentials = false

    init(operation: S3Operation) { self.operation = operation }

    /// Has something done for the next attempt, whose failure is no news of the ones before.
    func settling<Value>(
        _ body: () async throws(ObjectStoreError) -> Value
    ) async throws(ObjectStoreError) -> Value {
        do throws(ObjectStoreError) {
            return try await body()
        } catch {
            throw settled(error)
        }
    }

    /// What the operation comes to when its last attempt failed.
    func settled(_ error: ObjectStoreError) -> ObjectStoreError {
        guard isUnclear, error.code != .ambiguous else { return error }
        return ObjectStoreError(
            .ambiguous,
            "cannot tell whether an earlier attempt to \(operation.action) succeeded; the last one: \(error.message)",
            cause: error.cause)
    }
}

private let emptyHash = hexadecimal(SHA256.hash(data: [UInt8]()))
