import Glibc
import ObjectStorage
import SystemPackage

/// What the tests run as a process of its own: it can be killed, or kept from what the test itself may do.
///
/// - `put ROOT PREFIX SIZE` puts objects with numbers, and replaces another one each time, until it is killed; it prints
///   each number when the put has returned.
/// - `absent ROOT NAME COUNT` puts objects of that many numbers if-absent, and prints those that it won.
/// - `raise ROOT KEY COUNT` adds 1 to the number in an object that many times, by if-match.
/// - `lock ROOT KEY` takes a lock, prints `locked`, and keeps it until it is killed.
/// - `get ROOT KEY` prints an object.
@main struct ObjectStorageProbe {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 3 else { exit(64) }
        let store = FileObjectStore(root: FilePath(arguments[1]))
        let number = arguments.count > 3 ? Int(arguments[3]) ?? 0 : 0
        do {
            switch arguments[0] {
            case "put": try await put(arguments[2], size: number, to: store)
            case "absent": try await race(arguments[2], count: number, in: store)
            case "raise": for _ in 0..<number { try await raise(ObjectKey(arguments[2]), in: store) }
            case "lock":
                let lock = try await store.lock(ObjectKey(arguments[2]))
                write("locked\n")
                while lock != nil { pause() }
            case "get": write(String(decoding: try await store.get(ObjectKey(arguments[2])).bytes, as: UTF8.self))
            default: exit(64)
            }
            await store.close()
        } catch {
            write("\((error as? ObjectStoreError)?.code.description ?? ""): \(error)\n")
            exit(1)
        }
    }

    private static func put(_ prefix: String, size: Int, to store: FileObjectStore) async throws {
        for number in 1...Int.max {
            let body = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size)
            try await store.put(ObjectKey("replaced-\(prefix)"), body)
            try await store.put(ObjectKey("\(prefix)/\(number)"), body, if: .absent)
            write("\(number)\n")
        }
    }

    private static func race(_ name: String, count: Int, in store: FileObjectStore) async throws {
        for number in 1...count {
            do throws(ObjectStoreError) {
                try await store.put(ObjectKey("race/\(number)"), Array(name.utf8), if: .absent)
                write("\(number)\n")
            } catch {
                guard error.code == .preconditionFailed else { throw error }
            }
        }
    }

    private static func raise(_ key: ObjectKey, in store: FileObjectStore) async throws {
        var isRaised = false
        while !isRaised {
            let object = try await store.get(key)
            let number = (Int(String(decoding: object.bytes, as: UTF8.self)) ?? 0) + 1
            do throws(ObjectStoreError) {
                try await store.put(key, Array(String(number).utf8), if: .matches(object.info.tag))
                isRaised = true
            } catch {
                guard error.code == .preconditionFailed else { throw error }
            }
        }
    }

    /// Writes at once, so that what was printed before a kill was done before it.
    private static func write(_ text: String) { _ = Glibc.write(1, text, text.utf8.count) }
}
