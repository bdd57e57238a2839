import Glibc
import ObjectStorage
import SystemPackage
import TestServers

/// The process that tests kill, or keep from what they themselves may do.
let probe = Repository.executable("object-storage-probe")

/// Gives a store in a temporary folder, and the folder's path.
func withFileStore<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: (FileObjectStore, String) async throws -> Value
) async throws -> Value {
    try await withTemporaryFolder { folder in
        let root = "\(folder)/store"
        let store = FileObjectStore(root: FilePath(root))
        let value = try await body(store, root)
        await store.close()
        return value
    }
}

/// The code of the error that a call throws; `nil` when it throws none, or another one.
func code(
    isolation: isolated (any Actor)? = #isolation, of call: () async throws -> Void
) async -> ObjectStoreError.Code? {
    do {
        try await call()
        return nil
    } catch {
        return (error as? ObjectStoreError)?.code
    }
}

/// The files under a folder, by their paths in it, without what a store has for itself.
func files(under root: String, folders: Bool = false) -> [String] {
    var found: [String] = []
    func visit(_ path: String) {
        guard let stream = opendir("\(root)/\(path)") else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if [".", "..", ".object-store"].contains(name) { continue }
            let isFolder = Int(entry.pointee.d_type) == Int(DT_DIR)
            if !isFolder || folders { found.append(path + name) }
            if isFolder { visit("\(path)\(name)/") }
        }
    }
    visit("")
    return found.sorted()
}
