/// Which conditions of puts a store honours, as ``ObjectStore/conditionalPuts(under:)`` finds out.
public struct ConditionalPuts: Sendable, Hashable {
    /// Whether ``PutCondition/absent`` keeps an object from being replaced.
    public let honoursAbsent: Bool
    /// Whether ``PutCondition/matches(_:)`` keeps another object than the one meant from being replaced.
    public let honoursMatches: Bool

    /// Describes a store.
    public init(honoursAbsent: Bool, honoursMatches: Bool) {
        self.honoursAbsent = honoursAbsent
        self.honoursMatches = honoursMatches
    }
}

extension ObjectStore {
    /// Finds out which conditions of puts the store honours; some ignore them, and replace what they should not.
    ///
    /// A small object with a name that nobody else uses is put a few times, under conditions that hold and that do not, and
    /// deleted: seven requests at most, and no other object is touched. Where it is not known what came of one, all is done
    /// again with another name, twice at most, unless that took seconds already: a store that takes requests and never
    /// answers is waited for once.
    ///
    /// - Parameter prefix: What the object's key begins with, empty or with `/` at its end.
    /// - Returns: What the store did.
    /// - Throws: ``ObjectStoreError`` when the store cannot be used at all: `denied`, `unreachable` and others.
    public func conditionalPuts(under prefix: String) async throws(ObjectStoreError) -> ConditionalPuts {
        try await conditionalPuts(under: prefix, beginningWithin: .seconds(5))
    }

    /// The same, with the time within which it may begin anew.
    package func conditionalPuts(
        under prefix: String, beginningWithin limit: Duration
    ) async throws(ObjectStoreError) -> ConditionalPuts {
        let begin = ContinuousClock.now
        var attempts = 0
        while true {
            attempts += 1
            let key = try ObjectKey("\(prefix)preflight-\(randomDigits())\(randomDigits())")
            do throws(ObjectStoreError) {
                let found = try await conditionalPuts(of: key)
                try await delete(key)
                return found
            } catch {
                // What failed matters more than what is left behind, and a store that is away is not asked once more.
                if error.code != .unreachable { await tidy(key) }
                guard error.code == .ambiguous, attempts < 3, begin.duration(to: .now) < limit else { throw error }
            }
        }
    }

    /// Deletes an object, also for a task that is cancelled; a store that does not answer is not waited for.
    private func tidy(_ key: ObjectKey) async {
        let deletion = Task { try? await delete(key) }
        let limit = Task {
            try await Task.sleep(for: .seconds(2))
            deletion.cancel()
        }
        await deletion.value
        limit.cancel()
    }

    private func randomDigits() -> String { String(UInt64.random(in: .min ... .max), radix: 16) }

    /// Refuses a store that does not honour conditional puts.
    ///
    /// - Parameters:
    ///   - purpose: What needs them, for the message, such as `the ordered layout`.
    ///   - prefix: What keys that may be written begin with, empty or with `/` at its end.
    /// - Throws: ``ObjectStoreError``; `unsupported` when it does not.
    public func requireConditionalPuts(for purpose: String, under prefix: String) async throws(ObjectStoreError) {
        let found = try await conditionalPuts(under: prefix)
        let missing =
            switch (found.honoursAbsent, found.honoursMatches) {
            case (true, true): ""
            case (false, true): "puts that may not replace an object (If-None-Match: *)"
            case (true, false): "puts that may replace only a certain object (If-Match)"
            case (false, false): "conditional puts (If-None-Match: *, If-Match)"
            }
        guard missing.isEmpty else {
            throw ObjectStoreError(
                .unsupported,
                "\(self) cannot be used for \(purpose): it does not offer \(missing), and without them one "
                    + "writer replaces what another one wrote")
        }
    }

    private func conditionalPuts(of key: ObjectKey) async throws(ObjectStoreError) -> ConditionalPuts {
        // A store that refuses every condition is of no more use than one that ignores them.
        let first = try await outcome(of: key, [1], .absent)
        if first != .written { try await put(key, [1]) }
        let second = try await outcome(of: key, [2], .absent)
        let tag = try await head(key).tag
        let third = try await outcome(of: key, [3], .matches(tag.other))
        let fourth = third == .refused ? try await outcome(of: key, [4], .matches(tag)) : third
        return ConditionalPuts(
            honoursAbsent: first == .written && second == .refused,
            honoursMatches: third == .refused && fourth == .written)
    }

    private func outcome(
        of key: ObjectKey, _ body: [UInt8], _ condition: PutCondition
    ) async throws(ObjectStoreError) -> PutOutcome {
        do throws(ObjectStoreError) {
            try await put(key, body, if: condition)
            return .written
        } catch {
            switch error.code {
            case .preconditionFailed: return .refused
            case .unsupported: return .unknown
            default: throw error
            }
        }
    }
}

private enum PutOutcome {
    case written, refused, unknown
}

extension EntityTag {
    /// A tag that the object does not have, of the same form.
    fileprivate var other: EntityTag {
        EntityTag(String(description.map { $0 == "0" ? "1" : $0.isHexDigit ? "0" : $0 }))
    }
}
