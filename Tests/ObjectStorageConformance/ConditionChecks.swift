import ObjectStorage
import Testing

extension ConformanceCheck {
    static let conditions = [
        ConformanceCheck("if-absent writes what is not there, and leaves what is") { test in
            let key = try test.key("once")
            let tag = try await test.store.put(key, [1], if: .absent)
            let code = try await test.code { try await test.store.put(key, [2], if: .absent) }
            #expect(code == .preconditionFailed)
            let object = try await test.store.get(key)
            #expect(object.bytes == [1] && object.info.tag == tag)
            try await test.store.delete(key)
            try await test.store.put(key, [3], if: .absent)
            #expect(try await test.store.get(key).bytes == [3])
        },
        ConformanceCheck("of sixteen that put the same object if-absent, one wins") { test in
            guard test.promises.contains(.oneWinner) else { return }
            for round in 0..<4 {
                let key = try test.key("races/\(round)/object")
                let winners = try await race(16) { number in
                    try await test.store.put(key, [UInt8](repeating: UInt8(number), count: 100), if: .absent)
                }
                #expect(winners.count == 1, "round \(round)")
                let bytes = try await test.store.get(key).bytes
                #expect(winners.first.map { [UInt8](repeating: UInt8($0), count: 100) } == bytes)
            }
        },
        ConformanceCheck("if-match replaces the object of that tag, and no other") { test in
            guard test.promises.contains(.ifMatch) else { return }
            let key = try test.key("matched")
            let first = try await test.store.put(key, [1])
            let second = try await test.store.put(key, [2], if: .matches(first))
            #expect(second != first)
            #expect(try await test.store.get(key).info.tag == second)
            let code = try await test.code { try await test.store.put(key, [3], if: .matches(first)) }
            #expect(code == .preconditionFailed)
            #expect(try await test.store.get(key).bytes == [2])
            let told = try await test.store.head(key).tag
            try await test.store.put(key, [4], if: .matches(told))
            #expect(try await test.store.get(key).bytes == [4])
        },
        ConformanceCheck("if-match fails where there is no object, and makes none") { test in
            guard test.promises.contains(.ifMatch) else { return }
            let key = try test.key("gone/object")
            let tag = try await test.store.put(key, [1])
            try await test.store.delete(key)
            let code = try await test.code { try await test.store.put(key, [2], if: .matches(tag)) }
            #expect(code == .preconditionFailed)
            #expect(try await test.code { _ = try await test.store.head(key) } == .notFound)
            #expect(try await test.list() == [[]])
        },
        ConformanceCheck("of sixteen that replace the same tag, one wins") { test in
            guard test.promises.isSuperset(of: [.ifMatch, .oneWinner]) else { return }
            let key = try test.key("contended")
            var tag = try await test.store.put(key, [255])
            for round in 0..<4 {
                let expected = tag
                let winners = try await race(16) { number in
                    // No content twice: where tags follow from it, it would be the same object again.
                    try await test.store.put(key, [UInt8(round), UInt8(number)], if: .matches(expected))
                }
                #expect(winners.count == 1, "round \(round)")
                let object = try await test.store.get(key)
                #expect(winners.first.map { [UInt8(round), UInt8($0)] } == object.bytes)
                tag = object.info.tag
            }
        },
        ConformanceCheck("a counter that many raise by if-match loses no step") { test in
            guard test.promises.isSuperset(of: [.ifMatch, .oneWinner]) else { return }
            let key = try test.key("counter")
            try await test.store.put(key, Array("0".utf8))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { for _ in 0..<5 { try await raise(key, in: test.store) } }
                }
                try await group.waitForAll()
            }
            #expect(try await test.store.get(key).bytes == Array("20".utf8))
        },
        ConformanceCheck("a store without if-match says so, and leaves the object") { test in
            guard !test.promises.contains(.ifMatch) else { return }
            let key = try test.key("kept")
            let tag = try await test.store.put(key, [1])
            let code = try await test.code { try await test.store.put(key, [2], if: .matches(tag)) }
            #expect(code == .unsupported)
            #expect(try await test.store.get(key).bytes == [1])
        },
    ]

    /// Starts puts together, and gives the numbers of those that were not refused by their condition.
    private static func race(
        _ count: Int, put: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> [Int] {
        try await withThrowingTaskGroup(of: Int?.self) { group in
            for number in 0..<count {
                group.addTask {
                    do {
                        try await put(number)
                        return number
                    } catch let error as ObjectStoreError where error.code == .preconditionFailed {
                        return nil
                    }
                }
            }
            return try await group.reduce(into: []) { winners, number in if let number { winners.append(number) } }
        }
    }

    private static func raise(_ key: ObjectKey, in store: any ObjectStore) async throws {
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
}
