import Glibc
import SystemPackage
import TestServers
import Testing

@testable import ObjectStorage

@Suite(.serialized) struct FileFaultTests {
    @Test("kill -9 in the middle of puts leaves each object whole, and every put that was told is there")
    func kill() async throws {
        var random = SplitMix64.forThisRun()
        try await withTemporaryFolder { folder in
            let root = "\(folder)/store"
            let store = FileObjectStore(root: FilePath(root))
            for round in 0..<12 {
                let child = try await ChildProcess.start(probe, ["put", root, "round\(round)", "200000"], in: folder)
                try await eventually("an object") { lines(child.output) > 0 }
                try await Task.sleep(for: .microseconds(Int.random(in: 0..<40_000, using: &random)))
                await child.kill()

                let told = lines(child.output)
                let page = try await store.list(ListQuery(prefix: "round\(round)/"))
                #expect(page.objects.count == told || page.objects.count == told + 1)
                for info in page.objects {
                    let object = try await store.get(info.key)
                    #expect(object.bytes.count == 200_000)
                    #expect(Set(object.bytes).count == 1, "\(info.key) is mixed")
                }
                let replaced = try await store.get(ObjectKey("replaced-round\(round)"))
                #expect(replaced.bytes.count == 200_000 && Set(replaced.bytes).count == 1)
            }
            // This store's first put makes it look for what the dead have left.
            try await store.put(ObjectKey("last"), [1])
            #expect(files(under: "\(root)/.object-store/scratch").isEmpty)
            #expect(files(under: "\(root)/.object-store/scratch", folders: true).count == 1)
            await store.close()
        }
    }

    @Test("what a living process is writing is left to it")
    func living() async throws {
        try await withFileStore { store, root in
            try await store.put(ObjectKey("a"), [1])
            let own = try #require(files(under: "\(root)/.object-store/scratch", folders: true).first)
            try writeText("half", to: "\(root)/.object-store/scratch/\(own)/17")
            let other = FileObjectStore(root: FilePath(root))
            try await other.put(ObjectKey("b"), [1])
            #expect(files(under: "\(root)/.object-store/scratch") == ["\(own)/17"])
            await other.close()
        }
    }

    @Test("on a full disk a put says so and changes nothing, and later puts go on")
    func fullDisk() async throws {
        try await withSmallDisk(kilobytes: 1024) { disk in
            let root = "\(disk.path)/store"
            let store = FileObjectStore(root: FilePath(root))
            let key = try ObjectKey("a/b")
            let tag = try await store.put(key, [UInt8](repeating: 1, count: 100_000))
            try disk.fill()
            let body = [UInt8](repeating: 2, count: 300_000)
            for condition in [PutCondition.always, .matches(tag)] {
                #expect(await code { try await store.put(key, body, if: condition) } == .full)
            }
            #expect(await code { try await store.put(ObjectKey("a/c"), body, if: .absent) } == .full)
            #expect(try await store.get(key).info.tag == tag)
            #expect(files(under: root) == ["a/b"])
            #expect(files(under: "\(root)/.object-store/scratch").isEmpty)
            disk.empty()
            try await store.put(key, body, if: .matches(tag))
            #expect(try await store.get(key).bytes == body)
            await store.close()
        }
    }

    @Test("a disk that cannot be written to refuses puts and deletes, and is read")
    func readOnlyDisk() async throws {
        try await withSmallDisk(kilobytes: 1024) { disk in
            let root = "\(disk.path)/store"
            let store = FileObjectStore(root: FilePath(root))
            let key = try ObjectKey("a/b")
            try await store.put(key, [1])
            // Nothing can be mounted read-only while a file is open for writing; descriptors of folders do not count.
            try disk.setReadOnly(true)
            #expect(await code { try await store.put(key, [2]) } == .denied)
            #expect(await code { try await store.delete(key) } == .denied)
            let reader = FileObjectStore(root: FilePath(root))
            #expect(try await reader.get(key).bytes == [1])
            #expect(try await reader.list(ListQuery()).objects.count == 1)
            #expect(await code { try await reader.put(key, [2]) } == .denied)
            await reader.close()
            await store.close()
        }
    }

    @Test("what was done and not made safe is not told as not done")
    func unsafe() {
        let error = ObjectStoreError(.unsafe(.ioError), attempt: "write 'a'", root: "/srv")
        #expect(error.code == .ambiguous)
        #expect(error.mayHaveWritten)
        #expect(!ObjectStoreError(.system(.noSpace), attempt: "write 'a'", root: "/srv").mayHaveWritten)
    }

    @Test("who may not write gets a clear refusal, and may read")
    func foreignFolder() async throws {
        try await withFileStore { store, root in
            try await store.put(ObjectKey("a/b"), Array("text".utf8))
            let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"]
            let put = try await run("setpriv", nobody + [probe, "put", root, "a", "1"])
            #expect(put.output.contains("denied") && put.output.contains("'replaced-a'") && put.exitCode == 1)
            let get = try await run("setpriv", nobody + [probe, "get", root, "a/b"])
            #expect(get.output == "text" && get.exitCode == 0)
        }
    }

    @Test("where there can be no folder, a put says so", arguments: ["/proc/nothing", "/proc/nothing/at/all"])
    func impossibleFolder(path: String) async throws {
        let store = FileObjectStore(root: FilePath(path))
        let error = await #expect(throws: ObjectStoreError.self) { try await store.put(ObjectKey("a"), [1]) }
        #expect(error?.description.contains("No such file or directory") == true, "\(String(describing: error))")
        await store.close()
    }

    @Test("of processes that race with if-absent, each number has one winner")
    func absentRace() async throws {
        try await withTemporaryFolder { folder in
            let root = "\(folder)/store"
            var children: [ChildProcess] = []
            for name in ["x", "y", "z"] {
                children.append(try await ChildProcess.start(probe, ["absent", root, name, "200"], in: folder))
            }
            var won: [String] = []
            for child in children {
                #expect(try await child.waitForExit(within: .seconds(180)) == 0, "\(child.output)")
                won += child.output.split(separator: "\n").map(String.init)
            }
            #expect(Set(won).count == won.count && won.count == 200)
            let store = FileObjectStore(root: FilePath(root))
            #expect(try await store.list(ListQuery(prefix: "race/")).objects.count == 200)
            await store.close()
        }
    }

    @Test("of processes that raise a counter by if-match, none loses a step")
    func matchRace() async throws {
        try await withFileStore { store, root in
            let key = try ObjectKey("counter")
            try await store.put(key, Array("0".utf8))
            try await withTemporaryFolder { folder in
                var children: [ChildProcess] = []
                for _ in 0..<3 {
                    children.append(try await ChildProcess.start(probe, ["raise", root, "counter", "100"], in: folder))
                }
                for child in children {
                    #expect(try await child.waitForExit(within: .seconds(180)) == 0, "\(child.output)")
                }
            }
            #expect(try await store.get(key).bytes == Array("300".utf8))
        }
    }

    @Test("a folder of another file system in the way is refused with the reason")
    func otherFileSystem() async throws {
        try await withSmallDisk { disk in
            try await withFileStore { store, root in
                mkdir(root, 0o755)
                mkdir("\(root)/mounted", 0o755)
                try #require(mount(disk.path, "\(root)/mounted", nil, UInt(MS_BIND), nil) == 0)
                let error = await #expect(throws: ObjectStoreError.self) {
                    try await store.put(ObjectKey("mounted/a"), [1])
                }
                umount2("\(root)/mounted", Int32(MNT_DETACH))
                #expect(error?.code == .unsupported)
                #expect(error?.message.contains("another file system") == true)
            }
        }
    }

    private func lines(_ text: String) -> Int { text.count { $0 == "\n" } }
}
