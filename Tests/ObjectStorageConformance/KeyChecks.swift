import ObjectStorage
import Testing

extension ConformanceCheck {
    /// Names that a store which forgets to encode, or encodes twice, takes for others.
    static let unusualNames = [
        "a b", "a+b", "a%20b", "a%2Fb", "a~b", "a&b=c", "a?b", "a#b", "a;b", "a:b", "a@b", "a,b", "a!b", "a*b", "a'b",
        "a\"b", "a(b)", "a[b]", "a{b}", "a<b>", "a|b", "a\\b", "a^b", "a`b", "a$b", "%", "%%", "+", "~", "-", "..a..",
        "a.", ".a", " a", "a ", "grüße", "straße/日本語", "🐇", "2026-11-21T01:23:45.678901", "UPPER", "upper",
        String(repeating: "x", count: 255), "日本語/" + String(repeating: "ü", count: 100),
    ]

    static let keys = [
        ConformanceCheck("a key of unusual characters is that key and no other") { test in
            let names = unusualNames.filter { test.promises.contains(.flatNames) || !$0.contains("\\") }
            for name in names {
                let key = try test.key(name)
                let tag = try await test.store.put(key, Array(name.utf8), if: .absent)
                let object = try await test.store.get(key)
                #expect(object.bytes == Array(name.utf8), "\(name)")
                #expect(object.info.tag == tag, "\(name)")
                #expect(try await test.store.head(key).size == name.utf8.count, "\(name)")
            }
            let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try await test.list() == [sorted])
            for name in names {
                #expect(try await test.list(name).joined().contains(name), "a prefix \(name)")
                try await test.store.delete(test.key(name))
            }
            #expect(try await test.list() == [[]])
        },
        ConformanceCheck("keys that only Unicode holds for equal are two") { test in
            let composed = "caf\u{e9}"
            let decomposed = "cafe\u{301}"
            try await test.store.put(test.key(composed), [1])
            try await test.store.put(test.key(decomposed), [2])
            #expect(try await test.store.get(test.key(composed)).bytes == [1])
            #expect(try await test.store.get(test.key(decomposed)).bytes == [2])
            let listed = try await test.list().joined().map { Array($0.utf8) }
            #expect(listed == [Array(decomposed.utf8), Array(composed.utf8)])
        },
        ConformanceCheck("a key has many folders, and up to 1024 bytes") { test in
            let deep = (0..<30).map { "d\($0)" }.joined(separator: "/")
            let part = String(repeating: "y", count: 200)
            let long = Array(repeating: part, count: 4).joined(separator: "/")
            let rest = 1024 - test.folder.utf8.count - long.utf8.count - 2
            let longest = "\(long)/\(String(repeating: "z", count: rest))"
            for name in [deep, longest] {
                let key = try test.key(name)
                try await test.store.put(key, Array(name.utf8))
                #expect(try await test.store.get(key).bytes == Array(name.utf8))
            }
            #expect(try await test.list() == [[deep, longest]])
        },
    ]
}
