import CivilTime
import NIOHTTP1
import Testing

@testable import ObjectStorage

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

    @Test("times beyond those that there are, are none", arguments: ["9223372036854775.1", "253402300800.0", "-1.5"])
    func absurdTimes(time: String) throws {
        func modified(_ time: String) -> UTCTime? {
            HTTPResponse(status: 200, headers: ["X-Timestamp": time], body: []).modified
        }
        #expect(modified("1792545825.67890") == UTCTime(microseconds: 1_792_545_825_678_900))
        #expect(modified(time) == nil)
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
