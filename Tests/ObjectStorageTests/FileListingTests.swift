import Glibc
import ObjectStorage
import TestServers
import Testing

@Suite struct FileListingTests {
    @Test("a folder of many files is listed in order, page by page and from any place")
    func many() async throws {
        var random = SplitMix64.forThisRun()
        try await withFileStore { store, root in
            try await store.put(ObjectKey("many/first"), [])
            var names: Set<String> = ["first"]
            while names.count < 6000 { names.insert(String(random.next() >> 30, radix: 36)) }
            for name in names { close(open("\(root)/many/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)) }
            let expected = names.sorted().map { "many/\($0)" }

            var listed: [String] = []
            var start: String?
            repeat {
                let page = try await store.list(ListQuery(prefix: "many/", startAfter: start))
                #expect(page.objects.count == 1000)
                listed += page.objects.map(\.key.description)
                start = page.next
            } while start != nil
            #expect(listed == expected)

            let middle = try await store.list(ListQuery(prefix: "many/", startAfter: expected[3456], limit: 3))
            #expect(middle.objects.map(\.key.description) == Array(expected[3457..<3460]))
        }
    }

    @Test("random trees are listed as the store in memory lists them")
    func asInMemory() async throws {
        var random = SplitMix64.forThisRun()
        let parts = ["a", "b", "a-", "a.", "a0", "ab", "-", "é", "~", "A"]
        for _ in 0..<8 {
            let memory = InMemoryObjectStore()
            try await withFileStore { store, root in
                var taken: Set<String> = []
                for _ in 0..<40 {
                    let count = Int.random(in: 1...4, using: &random)
                    let path = (0..<count).map { _ in parts.randomElement(using: &random) ?? "a" }
                    let above = (1..<count).map { path[..<$0].joined(separator: "/") }
                    let name = path.joined(separator: "/")
                    // No file system has an object and a folder of the same name.
                    guard above.allSatisfy({ !taken.contains($0) }),
                        !taken.contains(where: { $0.hasPrefix("\(name)/") })
                    else { continue }
                    taken.insert(name)
                    try await memory.put(ObjectKey(name), [])
                    #expect(makeFile(name, in: root))
                }
                for _ in 0..<60 {
                    let query = ListQuery(
                        prefix: Bool.random(using: &random) ? "" : beginning(of: parts, using: &random),
                        startAfter: Bool.random(using: &random) ? nil : beginning(of: parts, using: &random),
                        groupsByFolder: .random(using: &random), limit: .random(in: 1...12, using: &random))
                    let expected = try await memory.list(query)
                    let page = try await store.list(query)
                    #expect(page.objects.map(\.key) == expected.objects.map(\.key), "\(query) of \(taken.sorted())")
                    #expect(page.folders == expected.folders, "\(query) of \(taken.sorted())")
                    #expect(page.next == expected.next, "\(query) of \(taken.sorted())")
                }
            }
        }
    }

    private func beginning(of parts: [String], using random: inout SplitMix64) -> String {
        let count = Int.random(in: 0...2, using: &random)
        let text = (0..<count).map { _ in parts.randomElement(using: &random) ?? "" }.joined(separator: "/")
        return text + (Bool.random(using: &random) ? "/" : "")
    }

    /// Makes an empty object without waiting for the disk.
    private func makeFile(_ name: String, in root: String) -> Bool {
        var path = root
        mkdir(path, 0o755)
        for part in name.split(separator: "/").dropLast() {
            path += "/\(part)"
            mkdir(path, 0o755)
        }
        return close(open("\(root)/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)) == 0
    }
}
