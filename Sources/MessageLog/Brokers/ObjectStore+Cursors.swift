import ObjectStorage

/// What the cursors of both layouts, and leases, have in common: each is an object that several change in turn.
extension ObjectStore {
    /// Puts an object as long as it is what it was known to be, once more where the answer was lost.
    ///
    /// - Parameters:
    ///   - object: The cursor's or the lease's object.
    ///   - bytes: What it is to say.
    ///   - condition: How it was known.
    ///   - what: What could not be done, for the error.
    /// - Returns: Its tag; nil when the condition does not hold, which may be the doing of this very call: read it then.
    /// - Throws: ``MessageLogError``.
    func swap(
        _ object: ObjectKey, for bytes: [UInt8], if condition: PutCondition, orSay what: String
    ) async throws(MessageLogError) -> EntityTag? {
        var attempts = 0
        while true {
            attempts += 1
            do throws(ObjectStoreError) {
                return try await put(object, bytes, if: condition)
            } catch {
                if error.code == .preconditionFailed { return nil }
                guard error.code == .ambiguous, attempts < 3 else { throw MessageLogError(error, what) }
            }
        }
    }

    /// Reads a cursor; nil when there is none.
    ///
    /// - Parameters:
    ///   - object: The cursor's object.
    ///   - limit: How many bytes one has at most; what is longer is none, and its beginning is read.
    /// - Returns: What it says, or begins with.
    /// - Throws: ``MessageLogError``.
    func cursor(_ object: ObjectKey, atMost limit: Int) async throws(MessageLogError) -> StoredObject? {
        do throws(ObjectStoreError) {
            return try await get(object, range: 0..<limit)
        } catch {
            if error.code == .notFound { return nil }
            throw MessageLogError(error, "cannot read the cursor \(object) in \(self)")
        }
    }

    /// A cursor's tag, whatever it says; nil when there is none.
    func cursorTag(_ object: ObjectKey) async throws(MessageLogError) -> EntityTag? {
        do throws(ObjectStoreError) {
            return try await head(object).tag
        } catch {
            if error.code == .notFound { return nil }
            throw MessageLogError(error, "cannot look for the cursor \(object) in \(self)")
        }
    }
}
