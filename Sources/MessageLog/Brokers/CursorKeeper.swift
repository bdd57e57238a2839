public import CivilTime

/// A broker whose consumers' cursors can be looked at and moved.
///
/// Cursors are kept beside the messages, or in a folder, as ``ReaderOptions/cursorFolder`` says. A consumer that reads
/// while its cursor is moved begins anew where it is then.
public protocol CursorKeeper: Broker {
    /// The cursors of a key, in the order of their names, each as it is, or with what is wrong with it.
    ///
    /// - Parameters:
    ///   - key: Whose cursors.
    ///   - folder: The folder that they are kept in; `nil` for those beside the messages.
    /// - Returns: The cursors; none where nobody has read.
    /// - Throws: ``MessageLogError`` when there is no way to tell, because the store is away, say.
    func cursorReadings(of key: RoutingKey, in folder: String?) async throws(MessageLogError) -> [CursorReading]

    /// A cursor.
    ///
    /// - Throws: ``MessageLogError``; `notFound` when there is none of the name.
    func cursor(
        _ name: ConsumerName, of key: RoutingKey, in folder: String?
    ) async throws(MessageLogError) -> CursorInfo

    /// Moves a cursor, or makes one.
    ///
    /// - Throws: ``MessageLogError``; `expired` or `invalidArgument` for a message that there is not.
    @discardableResult
    func setCursor(
        _ name: ConsumerName, of key: RoutingKey, in folder: String?, to start: ReaderOptions.Start
    ) async throws(MessageLogError) -> CursorInfo

    /// Has one cursor stand where another one does.
    ///
    /// - Throws: ``MessageLogError``; `notFound` when there is none of the first name.
    @discardableResult
    func copyCursor(
        _ name: ConsumerName, to other: ConsumerName, of key: RoutingKey, in folder: String?
    ) async throws(MessageLogError) -> CursorInfo

    /// Deletes a cursor; a consumer of its name begins as one that never read.
    ///
    /// - Throws: ``MessageLogError``; `notFound` when there is none of the name.
    func deleteCursor(_ name: ConsumerName, of key: RoutingKey, in folder: String?) async throws(MessageLogError)
}

extension CursorKeeper {
    /// The cursors of a key, in the order of their names.
    ///
    /// - Parameters:
    ///   - key: Whose cursors.
    ///   - folder: The folder that they are kept in; `nil` for those beside the messages.
    /// - Returns: The cursors; none where nobody has read.
    /// - Throws: ``MessageLogError``, also when one of them cannot be read.
    public func cursors(of key: RoutingKey, in folder: String?) async throws(MessageLogError) -> [CursorInfo] {
        var found: [CursorInfo] = []
        for reading in try await cursorReadings(of: key, in: folder) { found.append(try reading.info.get()) }
        return found
    }
}

/// A cursor, or what is wrong with it.
public struct CursorReading: Sendable {
    /// The cursor's name.
    public let name: ConsumerName
    /// What it says; the failure is `corrupt`, or `invalidArgument` for one that belongs to other messages.
    public let info: Result<CursorInfo, MessageLogError>

    /// Describes a cursor.
    public init(name: ConsumerName, info: Result<CursorInfo, MessageLogError>) {
        self.name = name
        self.info = info
    }

    /// Looks at a cursor.
    ///
    /// - Returns: What is there, or what is wrong with it; `nil` for one that was deleted meanwhile.
    /// - Throws: ``MessageLogError`` that is not the cursor's own.
    static func result<Value>(
        _ read: () async throws(MessageLogError) -> Value?
    ) async throws(MessageLogError) -> Result<Value, MessageLogError>? {
        do throws(MessageLogError) {
            return try await read().map { .success($0) }
        } catch {
            guard [.corrupt, .invalidArgument].contains(error.code) else { throw error }
            return .failure(error)
        }
    }
}

/// Where a consumer stands.
public struct CursorInfo: Sendable, Hashable {
    /// The cursor's name.
    public let name: ConsumerName
    /// The message that comes next, which need not be there yet.
    public let next: Position
    /// How many messages there are for it to read; `nil` where that is not known, as behind the end of a log that was
    /// emptied and begun anew.
    public let waiting: UInt64?
    /// When it was moved, by the store's clock.
    public let moved: UTCTime

    /// Describes a cursor.
    public init(name: ConsumerName, next: Position, waiting: UInt64?, moved: UTCTime) {
        self.name = name
        self.next = next
        self.waiting = waiting
        self.moved = moved
    }
}
