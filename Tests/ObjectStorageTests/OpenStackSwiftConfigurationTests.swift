import ObjectStorage
import Testing

@Suite struct OpenStackSwiftConfigurationTests {
    @Test("what names no container is refused")
    func refused() throws {
        for (url, container, token) in [
            ("https://swift.example", "logs", "t"), ("swift.example/v1/AUTH_a", "logs", "t"),
            ("https://swift.example/v1/AUTH_a", "", "t"), ("https://swift.example/v1/AUTH_a", "a/b", "t"),
            ("https://swift.example/v1/AUTH_a", String(repeating: "x", count: 257), "t"),
            ("https://swift.example/v1/AUTH_a", "logs", ""), ("https://swift.example/v1/AUTH_a", "logs", "a\nb"),
            ("https://swift.example/v1/AUTH_a", "logs", "a b"),
        ] {
            let error = #expect(throws: ObjectStoreError.self, "\(url) \(container)") {
                try OpenStackSwiftObjectStore(
                    OpenStackSwiftConfiguration(storageURL: url, container: container, token: token))
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test("a token shows neither in a description nor in a dump")
    func secrecy() throws {
        let configuration = OpenStackSwiftConfiguration(
            storageURL: "https://swift.example/v1/AUTH_a", container: "logs", token: "AUTH_tk1234")
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(dumped.contains("swift.example"))
        let store = try OpenStackSwiftObjectStore(configuration)
        for text in [dumped, "\(configuration)", String(reflecting: configuration), "\(store)"] {
            #expect(!text.contains("AUTH_tk1234"))
        }
    }
}
