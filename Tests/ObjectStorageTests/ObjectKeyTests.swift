import ObjectStorage
import Testing

@Suite struct ObjectKeyTests {
    @Test("a key's parts are kept as they are", arguments: ["a", "a/b", "A.B/log/1", "ü/ß", "a b", "..a/b.."])
    func accepted(text: String) throws {
        #expect(try ObjectKey(text).description == text)
    }

    @Test(
        "a key that could lead elsewhere is refused",
        arguments: ["", "/", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.", "a\u{0}b", "a\nb", "a\u{7f}", "a\u{85}"])
    func refused(text: String) {
        #expect { try ObjectKey(text) } throws: { ($0 as? ObjectStoreError)?.code == .invalidArgument }
    }

    @Test("a key has 1024 bytes at most, a part 255")
    func lengths() throws {
        let part = String(repeating: "x", count: 255)
        let key = Array(repeating: part, count: 4).joined(separator: "/")
        #expect(try ObjectKey(key).description.utf8.count == 1023)
        #expect(throws: ObjectStoreError.self) { try ObjectKey(key + "/y") }
        #expect(throws: ObjectStoreError.self) { try ObjectKey(part + "x") }
    }
}
