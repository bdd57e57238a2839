import ObjectStorage

/// What the cursors of both layouts have in common: each is an object.
extension ObjectStore {
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
