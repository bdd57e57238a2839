/// A place for objects: bytes under names, each written, read and replaced as a whole.
///
/// What is written is durable when `put` returns, and whoever reads afterwards gets it, on any host (S3 promises as
/// much: Amazon S3 User Guide, "Amazon S3 data consistency model"). Listings may lag behind on some stores.
///
/// A store is a value that many tasks use at once. ``ObjectStore/description`` names the place without any secret.
public protocol ObjectStore: Sendable, CustomStringConvertible {
    /// Writes an object, whole or not at all.
    ///
    /// - Parameters:
    ///   - key: The object's name.
    ///   - body: What it holds.
    ///   - condition: What has to be so for the object to be written; decided by the store, atomically.
    /// - Returns: The tag of what was written.
    /// - Throws: ``ObjectStoreError``; `preconditionFailed` when the condition does not hold, `ambiguous` when it is not
    ///   known whether the object was written: read it to find out.
    @discardableResult
    func put(
        _ key: ObjectKey, _ body: [UInt8], if condition: PutCondition
    ) async throws(ObjectStoreError) -> EntityTag

    /// Reads an object, or a part of it.
    ///
    /// - Parameters:
    ///   - key: The object's name.
    ///   - range: Which bytes of it; `nil` for all. What lies behind the object's end is left out.
    /// - Returns: The bytes, and what is known of the object.
    /// - Throws: ``ObjectStoreError``; `notFound` when there is no such object.
    func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject

    /// Tells what is known of an object, without its bytes.
    ///
    /// - Throws: ``ObjectStoreError``; `notFound` when there is no such object.
    func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo

    /// Lists a page of objects in the order of their keys' UTF-8 bytes.
    ///
    /// - Parameter query: What to list.
    /// - Returns: Objects, and folders if the query asks for these.
    /// - Throws: ``ObjectStoreError``. That there is nothing is no error.
    func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage

    /// Deletes an object; that it is not there is no error.
    ///
    /// - Throws: ``ObjectStoreError``.
    func delete(_ key: ObjectKey) async throws(ObjectStoreError)

    /// Lets go of connections and threads. Calls made afterwards throw `closed`.
    func close() async
}

extension ObjectStore {
    /// Writes an object whatever is there; see ``put(_:_:if:)``.
    @discardableResult
    public func put(_ key: ObjectKey, _ body: [UInt8]) async throws(ObjectStoreError) -> EntityTag {
        try await put(key, body, if: .always)
    }

    /// Reads a whole object; see ``get(_:range:)``.
    public func get(_ key: ObjectKey) async throws(ObjectStoreError) -> StoredObject {
        try await get(key, range: nil)
    }
}
