import Glibc
import ObjectStorage
import ObjectStorageConformance
import SystemPackage
import TestServers
import Testing

@Suite struct FileObjectStoreTests {
    @Test("a store in a folder conforms", arguments: ConformanceCheck.all)
    func conforms(check: ConformanceCheck) async throws {
        try await withFileStore { store, _ in try await check(on: store) }
    }

    @Test(
        "a file from any time, also one that does not fit, is an object",
        arguments: [Int.min, -1, 1 << 33, 1 << 34, .max])
    func anyTime(seconds: Int) async throws {
        try await withFileStore { store, root in
            let key = try ObjectKey("a")
            try await store.put(key, [1])
            var times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
            // A file system takes the nearest time that it knows.
            try #require(utimensat(AT_FDCWD, "\(root)/a", &times, 0) == 0)
            let info = try await store.head(key)
            try await store.put(key, [2], if: .matches(info.tag))
            #expect(try await store.list(ListQuery()).objects.map(\.key) == [key])
        }
    }

    @Test("nothing is made until something is put, and then all folders are")
    func root() async throws {
        try await withTemporaryFolder { folder in
            let root = "\(folder)/not/there/yet"
            let store = FileObjectStore(root: FilePath(root))
            #expect(try await store.list(ListQuery()).objects.isEmpty)
            #expect(await code { _ = try await store.get(ObjectKey("a")) } == .notFound)
            try await store.delete(ObjectKey("a"))
            #expect(access("\(folder)/not", F_OK) != 0)
            try await store.put(ObjectKey("a/b"), [1])
            #expect(try await FileObjectStore(root: FilePath(root)).get(ObjectKey("a/b")).bytes == [1])
            await store.close()
        }
    }

    @Test("an object is a file of the key's name with nothing but the object's bytes, and leaves no others")
    func layout() async throws {
        try await withFileStore { store, root in
            try await store.put(ObjectKey("A/B/log/1"), Array("text".utf8))
            try await store.put(ObjectKey("A/B/log/1"), Array("new text".utf8))
            _ = await code { try await store.put(ObjectKey("A/B/log/1"), [1], if: .absent) }
            _ = await code { try await store.put(ObjectKey("A/B/log/1"), [1], if: .matches(EntityTag("other"))) }
            #expect(readText("\(root)/A/B/log/1") == "new text")
            #expect(files(under: root) == ["A/B/log/1"])
            #expect(files(under: "\(root)/.object-store/scratch") == [])
            try await store.delete(ObjectKey("A/B/log/1"))
            #expect(access("\(root)/A", F_OK) != 0)
        }
    }

    @Test("a file that somebody else puts there is an object, and links, pipes and names that are no keys are none")
    func foreignFiles() async throws {
        try await withFileStore { store, root in
            try await store.put(ObjectKey("f/own"), [1])
            try writeText("theirs", to: "\(root)/f/theirs")
            try writeText("secret", to: "\(root)/f/line\nfeed")
            mkfifo("\(root)/f/pipe", 0o600)
            symlink("own", "\(root)/f/link")
            mkdir("\(root)/empty", 0o755)
            let page = try await store.list(ListQuery())
            #expect(page.objects.map(\.key.description) == ["f/own", "f/theirs"])
            #expect(try await store.list(ListQuery(groupsByFolder: true)).folders == ["f/"])
            #expect(try await store.get(ObjectKey("f/theirs")).bytes == Array("theirs".utf8))
            for name in ["f/pipe", "f/link"] {
                #expect(await code { _ = try await store.get(ObjectKey(name)) } == .denied, "\(name)")
                #expect(await code { _ = try await store.head(ObjectKey(name)) } == .denied, "\(name)")
                #expect(
                    await code { try await store.put(ObjectKey(name), [1], if: .absent) } == .preconditionFailed,
                    "\(name)")
            }
        }
    }

    @Test("a link in the way is not followed out of the store")
    func links() async throws {
        try await withTemporaryFolder { outside in
            try writeText("secret", to: "\(outside)/secret")
            try await withFileStore { store, root in
                try await store.put(ObjectKey("a/b"), [1])
                symlink(outside, "\(root)/way")
                symlink("\(outside)/secret", "\(root)/a/secret")
                symlink("a", "\(root)/inside")
                for name in ["way/secret", "way/new", "inside/b"] {
                    let key = try ObjectKey(name)
                    #expect(await code { _ = try await store.get(key) } == .denied, "\(name)")
                    #expect(await code { try await store.put(key, [2]) } == .denied, "\(name)")
                    #expect(await code { try await store.put(key, [2], if: .absent) } == .denied, "\(name)")
                    #expect(await code { try await store.delete(key) } == .denied, "\(name)")
                }
                #expect(try await store.list(ListQuery(prefix: "way/")).objects.isEmpty)
                // A put replaces a link by the object.
                try await store.put(ObjectKey("a/secret"), Array("mine".utf8))
                #expect(try await store.get(ObjectKey("a/secret")).bytes == Array("mine".utf8))
                #expect(files(under: outside) == ["secret"])
                #expect(readText("\(outside)/secret") == "secret")
            }
        }
    }

    @Test("the folder itself may be a link")
    func linkedRoot() async throws {
        try await withTemporaryFolder { folder in
            mkdir("\(folder)/real", 0o755)
            symlink("real", "\(folder)/named")
            let store = FileObjectStore(root: FilePath("\(folder)/named"))
            try await store.put(ObjectKey("a"), [1])
            #expect(readText("\(folder)/real/a") == "\u{1}")
        }
    }

    @Test("a key is not an object and a folder at once")
    func objectAndFolder() async throws {
        try await withFileStore { store, _ in
            try await store.put(ObjectKey("a/b"), [1])
            for condition in [PutCondition.always, .absent, .matches(EntityTag("x"))] {
                #expect(await code { try await store.put(ObjectKey("a"), [2], if: condition) } == .unsupported)
                #expect(await code { try await store.put(ObjectKey("a/b/c"), [2], if: condition) } == .unsupported)
            }
            #expect(await code { _ = try await store.get(ObjectKey("a/b/c")) } == .notFound)
            #expect(await code { _ = try await store.head(ObjectKey("a/b/c")) } == .notFound)
            try await store.delete(ObjectKey("a/b/c"))
            #expect(try await store.list(ListQuery(prefix: "a/b/")).objects.isEmpty)
            #expect(try await store.get(ObjectKey("a/b")).bytes == [1])
        }
    }

    @Test("the store's own folder is out of reach", arguments: [".object-store", ".object-store/guards/1"])
    func reserved(name: String) async throws {
        try await withFileStore { store, _ in
            let key = try ObjectKey(name)
            #expect(await code { try await store.put(key, [1]) } == .invalidArgument)
            #expect(await code { _ = try await store.get(key) } == .invalidArgument)
            #expect(await code { try await store.delete(key) } == .invalidArgument)
            #expect(await code { _ = try await store.lock(key) } == .invalidArgument)
            try await store.put(ObjectKey(".object-stores/a"), [1])
            let names = try await store.list(ListQuery()).objects.map(\.key.description)
            #expect(names == [".object-stores/a"])
            #expect(try await store.list(ListQuery(prefix: ".object-store/")).objects.isEmpty)
        }
    }

    @Test("tags are never the same again, however fast an object is replaced")
    func tags() async throws {
        try await withFileStore { store, _ in
            let key = try ObjectKey("a")
            var tags: Set<EntityTag> = []
            for _ in 0..<60 { tags.insert(try await store.put(key, [1, 2, 3])) }
            #expect(tags.count == 60)
        }
    }

    @Test("folders that are removed while they are filled are made again")
    func removedFolders() async throws {
        try await withFileStore { store, root in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let key = try ObjectKey("deep/folder/\(number)")
                        for _ in 0..<50 {
                            try await store.put(key, [UInt8(number)], if: .absent)
                            #expect(try await store.get(key).bytes == [UInt8(number)])
                            try await store.delete(key)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(access("\(root)/deep", F_OK) != 0)
        }
    }

    @Test("a store goes on when its folder, or its own part of it, is removed")
    func removedRoot() async throws {
        try await withFileStore { store, root in
            try await store.put(ObjectKey("a"), [1])
            #expect(try await run("rm", ["-rf", "\(root)/.object-store"]).exitCode == 0)
            try await store.put(ObjectKey("b"), [2])
            #expect(try await store.list(ListQuery()).objects.count == 2)
            #expect(try await run("rm", ["-rf", root]).exitCode == 0)
            #expect(try await store.list(ListQuery()).objects.isEmpty)
            try await store.put(ObjectKey("c"), [3])
            #expect(try await store.get(ObjectKey("c")).bytes == [3])
        }
    }

    @Test("a store that was closed says so, and its folder keeps what is in it")
    func closed() async throws {
        try await withFileStore { store, root in
            let key = try ObjectKey("a")
            try await store.put(key, [1])
            await store.close()
            await store.close()
            #expect(await code { try await store.put(key, [1]) } == .closed)
            #expect(await code { _ = try await store.get(key) } == .closed)
            #expect(await code { _ = try await store.list(ListQuery()) } == .closed)
            #expect(await code { _ = try await store.lock(key) } == .closed)
            #expect(files(under: "\(root)/.object-store/scratch", folders: true) == [])
            #expect(readText("\(root)/a") == "\u{1}")
        }
    }
}
