import CivilTime
import ObjectStorage
import Testing

extension ConformanceCheck {
    static let objects = [
        ConformanceCheck("what is put is got, with its size, tag and time") { test in
            let key = try test.key("one")
            let body = Array("the quick brown fox".utf8)
            let before = UTCTime.now
            let tag = try await test.store.put(key, body)
            let object = try await test.store.get(key)
            #expect(object.bytes == body)
            #expect(object.info.key == key)
            #expect(object.info.size == body.count)
            #expect(object.info.tag == tag)
            // Stores tell whole seconds, and their clocks are others.
            #expect(abs(object.info.modified.microseconds - before.microseconds) < 60_000_000)
            #expect(try await test.store.head(key) == object.info)
        },
        ConformanceCheck("an empty object is an object") { test in
            let key = try test.key("empty")
            let tag = try await test.store.put(key, [])
            let object = try await test.store.get(key)
            #expect(object.bytes.isEmpty && object.info.size == 0 && object.info.tag == tag)
            #expect(try await test.store.get(key, range: 0..<10).bytes.isEmpty)
            #expect(try await test.list() == [["empty"]])
        },
        ConformanceCheck("bytes of all values come back as they were") { test in
            let key = try test.key("bytes")
            let body = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8 ^ $0 >> 16) }
            try await test.store.put(key, body)
            #expect(try await test.store.get(key).bytes == body)
        },
        ConformanceCheck("a range gives those bytes, cut off at the object's end") { test in
            let key = try test.key("ranged")
            try await test.store.put(key, Array("0123456789".utf8))
            for (range, expected) in [
                (0..<10, "0123456789"), (0..<1, "0"), (3..<7, "3456"), (9..<10, "9"), (5..<1000, "56789"), (4..<4, ""),
                (0..<0, ""), (10..<20, ""), (1000..<2000, ""), (0..<Int.max, "0123456789"),
            ] {
                let part = try await test.store.get(key, range: range)
                #expect(String(decoding: part.bytes, as: UTF8.self) == expected, "bytes \(range)")
                #expect(part.info.size == 10, "the size of the whole object with \(range)")
            }
            let code = try await test.code { _ = try await test.store.get(key, range: -1..<3) }
            #expect(code == .invalidArgument)
        },
        ConformanceCheck("a put replaces what was there, and gives another tag") { test in
            let key = try test.key("replaced")
            let first = try await test.store.put(key, Array("first, and longer".utf8))
            let second = try await test.store.put(key, Array("second".utf8))
            #expect(first != second)
            let object = try await test.store.get(key)
            #expect(object.bytes == Array("second".utf8) && object.info.tag == second)
        },
        ConformanceCheck("an object that is not there is not found") { test in
            let key = try test.key("absent")
            #expect(try await test.code { _ = try await test.store.get(key) } == .notFound)
            #expect(try await test.code { _ = try await test.store.get(key, range: 0..<4) } == .notFound)
            #expect(try await test.code { _ = try await test.store.get(key, range: 0..<0) } == .notFound)
            #expect(try await test.code { _ = try await test.store.head(key) } == .notFound)
            try await test.fill(["folder/object"])
            #expect(try await test.code { _ = try await test.store.get(test.key("folder")) } == .notFound)
            #expect(try await test.code { _ = try await test.store.head(test.key("folder/other")) } == .notFound)
        },
        ConformanceCheck("what is deleted is gone, and deleting it again is no error") { test in
            let key = try test.key("deleted/object")
            try await test.fill(["deleted/object", "deleted/other"])
            try await test.store.delete(key)
            #expect(try await test.code { _ = try await test.store.get(key) } == .notFound)
            #expect(try await test.list() == [["deleted/other"]])
            try await test.store.delete(key)
            try await test.store.delete(test.key("never/was/there"))
            try await test.store.delete(test.key("deleted"))
            #expect(try await test.list() == [["deleted/other"]])
            try await test.store.put(key, [1])
            #expect(try await test.store.get(key).bytes == [1])
        },
        ConformanceCheck("many calls at once do not mix up their objects") { test in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<32 {
                    group.addTask {
                        let key = try test.key("many/\(number)")
                        let body = [UInt8](repeating: UInt8(number), count: 1000 + number)
                        let tag = try await test.store.put(key, body)
                        let object = try await test.store.get(key)
                        #expect(object.bytes == body && object.info.tag == tag)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await test.list().joined().count == 32)
        },
    ]
}
