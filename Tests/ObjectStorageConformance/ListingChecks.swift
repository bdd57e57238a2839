import CivilTime
import ObjectStorage
import Testing

extension ConformanceCheck {
    /// Names whose order by bytes is neither that of folders' names nor that of languages, in that order.
    private static let allNames = [
        "B", "Z/1", "a!", "a-b/c", "a.b/c", "a/1", "a/10", "a/2", "a/b/c/d", "a/b/c0", "a0/x", "ab/c", "b/a-b/c",
        "b/a/c", "z", "~", "é", "日/本", "🐇",
    ]

    /// Those of the names that also a store with real folders has in the order of bytes.
    private static func names(for test: StoreUnderTest) -> [String] {
        allNames.filter { test.promises.contains(.flatNames) || $0.utf8.allSatisfy { !(0x21...0x2e).contains($0) } }
    }

    static let listings = [
        ConformanceCheck("a listing has all objects, in the order of their keys' bytes") { test in
            let ordered = names(for: test)
            try await test.fill(ordered.reversed())
            let page = try await test.store.list(ListQuery(prefix: "\(test.folder)/"))
            #expect(page.objects.map { String($0.key.description.dropFirst(test.folder.count + 1)) } == ordered)
            #expect(page.folders.isEmpty && page.next == nil)
            for info in page.objects {
                let told = try await test.store.head(info.key)
                #expect(told.size == info.size && told.tag == info.tag, "\(info.key)")
                #expect(abs(told.modified.microseconds - info.modified.microseconds) < 1_000_000, "\(info.key)")
            }
        },
        ConformanceCheck("pages of any size together are the whole listing") { test in
            let ordered = names(for: test)
            try await test.fill(ordered)
            for limit in [1, 2, 3, 5, ordered.count - 1, ordered.count, ordered.count + 1] {
                let pages = try await test.list(limit: limit)
                #expect(Array(pages.joined()) == ordered, "pages of \(limit)")
                #expect(pages.dropLast().allSatisfy { $0.count <= limit }, "pages of \(limit)")
                // A store that cannot tell whether more comes may end with an empty page.
                #expect(pages.count <= ordered.count / limit + 1, "pages of \(limit)")
            }
        },
        ConformanceCheck("a prefix selects, and need not end with a folder") { test in
            let ordered = names(for: test)
            try await test.fill(ordered)
            let isFlat = test.promises.contains(.flatNames)
            for prefix in (isFlat ? ["a//"] : []) + [
                "a", "a/", "a/1", "a/b/", "a/b/c/d", "b/a", "é", "A", "a/b/c/d/e", "none/at/all",
            ] {
                let expected = ordered.filter { $0.utf8.starts(with: prefix.utf8) }
                #expect(try await test.list(prefix) == [expected], "prefix \(prefix)")
            }
        },
        ConformanceCheck("a listing starts behind a key that need not exist") { test in
            let ordered = names(for: test)
            try await test.fill(ordered)
            let isFlat = test.promises.contains(.flatNames)
            for start in (isFlat ? ["a", "a-", "a/b"] : [])
                + ["A", "B", "Z/1", "a/", "a/1", "a/15", "a/b/c/", "b/a/c", "日/本", "🐇", "🐈"]
            {
                let expected = ordered.filter { start.utf8.lexicographicallyPrecedes($0.utf8) }
                #expect(try await test.list(startAfter: start) == [expected], "behind \(start)")
                let inFolder = expected.filter { $0.hasPrefix("a/") }
                #expect(try await test.list("a/", startAfter: start) == [inFolder], "behind \(start) in a/")
            }
        },
        ConformanceCheck("folders stand for what is in them") { test in
            let ordered = names(for: test)
            try await test.fill(ordered)
            func known(_ names: [String]) -> [String] {
                names.filter { name in ordered.contains { $0.hasPrefix(name) } }
            }
            let top = known(["B", "Z/", "a!", "a-b/", "a.b/", "a/", "a0/", "ab/", "b/", "z", "~", "é", "日/", "🐇"])
            for limit in [1, 2, 3, 7, 1000] {
                #expect(Array(try await test.list(groupsByFolder: true, limit: limit).joined()) == top, "\(limit)")
            }
            let page = try await test.store.list(ListQuery(prefix: "\(test.folder)/a/", groupsByFolder: true))
            #expect(page.objects.map(\.key) == [try test.key("a/1"), try test.key("a/10"), try test.key("a/2")])
            #expect(page.folders == ["\(test.folder)/a/b/"])
            #expect(
                try await test.list("a", groupsByFolder: true) == [known(["a!", "a-b/", "a.b/", "a/", "a0/", "ab/"])])
            #expect(try await test.list("a/b/c", groupsByFolder: true) == [["a/b/c/", "a/b/c0"]])
        },
        ConformanceCheck("folders too are listed only behind where the listing starts") { test in
            try await test.fill(["a/1", "a/2", "b/1", "c", "d/1"])
            for (start, expected) in [
                ("a", ["a/", "b/", "c", "d/"]), ("a/", ["b/", "c", "d/"]), ("a/1", ["b/", "c", "d/"]),
                ("b/1", ["c", "d/"]), ("c", ["d/"]), ("d/", []),
            ] where start != "a" || test.promises.contains(.flatNames) {
                #expect(try await test.list(startAfter: start, groupsByFolder: true) == [expected], "behind \(start)")
            }
        },
        ConformanceCheck("nothing is listed where nothing is, and folders go with their last object") { test in
            #expect(try await test.list() == [[]])
            #expect(try await test.list("no/such/folder/", groupsByFolder: true) == [[]])
            guard test.promises.contains(.flatNames) else { return }
            try await test.fill(["x/y/z", "w"])
            try await test.store.delete(test.key("x/y/z"))
            #expect(try await test.list(groupsByFolder: true) == [["w"]])
            try await test.store.delete(test.key("w"))
            let page = try await test.store.list(ListQuery(prefix: test.folder, groupsByFolder: true))
            #expect(page == ObjectPage(objects: [], folders: [], next: nil))
        },
        ConformanceCheck("a page has 1 to 1000 entries") { test in
            for limit in [-1, 0, 1001] {
                let code = try await test.code { _ = try await test.store.list(ListQuery(limit: limit)) }
                #expect(code == .invalidArgument)
            }
        },
    ]
}
