public import ObjectStorage

/// One thing that every object store has to do; ``all`` are the conformance suite.
///
/// ```swift
/// @Test("a store conforms", arguments: ConformanceCheck.all)
/// func conforms(check: ConformanceCheck) async throws { try await check(on: InMemoryObjectStore()) }
/// ```
///
/// Checks work under a folder of their own with a random name, so that one store, also a real one, can take them all.
public struct ConformanceCheck: Sendable, CustomStringConvertible {
    /// What the store has to do.
    public let description: String

    private let body: @Sendable (StoreUnderTest) async throws -> Void

    init(_ description: String, _ body: @escaping @Sendable (StoreUnderTest) async throws -> Void) {
        self.description = description
        self.body = body
    }

    /// Looks whether a store does it; faults are recorded as issues of the running test.
    ///
    /// - Parameters:
    ///   - store: The store; it stays open.
    ///   - promises: What the store promises beyond what all do.
    /// - Throws: What the store throws where it should not.
    public func callAsFunction(on store: any ObjectStore, promises: StorePromises = .all) async throws {
        let folder = "conformance-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        try await body(StoreUnderTest(store: store, promises: promises, folder: folder))
    }

    /// The whole suite.
    public static let all = objects + keys + conditions + listings
}

/// What some stores do not promise.
public struct StorePromises: OptionSet, Sendable {
    /// The set as bits.
    public let rawValue: Int

    /// Creates a set.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Of puts that race under a condition exactly one wins.
    public static let oneWinner = StorePromises(rawValue: 1)
    /// ``PutCondition/matches(_:)`` is honoured; without it, such a put has to be refused as `unsupported`.
    public static let ifMatch = StorePromises(rawValue: 2)
    /// A key is nothing but its bytes: listings are in their order, a `\` is no `/`, and folders go with their objects.
    public static let flatNames = StorePromises(rawValue: 4)

    /// All of them.
    public static let all: StorePromises = [.oneWinner, .ifMatch, .flatNames]
}

/// A store, and the folder in it that a check has for itself.
struct StoreUnderTest: Sendable {
    let store: any ObjectStore
    let promises: StorePromises
    let folder: String

    /// A key in the check's folder.
    func key(_ name: String) throws -> ObjectKey { try ObjectKey("\(folder)/\(name)") }

    /// Writes small objects that hold their own names.
    func fill(_ names: [String]) async throws {
        for name in names { try await store.put(key(name), Array(name.utf8)) }
    }

    /// Lists the check's folder page by page; names are told without the folder's.
    func list(
        _ prefix: String = "", startAfter: String? = nil, groupsByFolder: Bool = false, limit: Int = 1000
    ) async throws -> [[String]] {
        var pages: [[String]] = []
        var start = startAfter.map { "\(folder)/\($0)" }
        repeat {
            let page = try await store.list(
                ListQuery(
                    prefix: "\(folder)/\(prefix)", startAfter: start, groupsByFolder: groupsByFolder, limit: limit))
            let names = page.objects.map(\.key.description) + page.folders
            let own = names.map { String($0.dropFirst(folder.count + 1)) }
            pages.append(own.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
            start = page.next
        } while start != nil && pages.count < 100
        return pages
    }

    /// The code of the error that a call throws; `nil` when it throws none.
    func code(of call: () async throws -> Void) async throws -> ObjectStoreError.Code? {
        do {
            try await call()
            return nil
        } catch let error as ObjectStoreError {
            return error.code
        }
    }
}
