import ObjectStorage

/// Asks once whether a store honours conditional puts, without which writers would overwrite each other's segments.
actor Preflight {
    private let store: any ObjectStore
    private let prefix: String
    private let turns = Turns()
    private var isDone = false

    init(store: any ObjectStore, prefix: String) {
        self.store = store
        self.prefix = prefix.isEmpty ? "" : prefix + "/"
    }

    /// Returns at once when that was found out before.
    ///
    /// - Throws: ``MessageLogError``; `unsupported` when the store does not.
    func check() async throws(MessageLogError) {
        guard !isDone else { return }
        try await turns.run { () throws(MessageLogError) in
            guard !isDone else { return }
            // Its conditions are its own; to try them would make a folder where somebody only looks for messages.
            if store is FileObjectStore {
                isDone = true
                return
            }
            do throws(ObjectStoreError) {
                try await store.requireConditionalPuts(for: "the ordered layout", under: prefix)
            } catch {
                throw MessageLogError(error, "cannot keep a log in \(store)")
            }
            isDone = true
        }
    }
}
