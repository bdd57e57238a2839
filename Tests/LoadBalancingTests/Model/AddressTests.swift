import LoadBalancing
import Testing

@Suite struct AddressTests {
    @Test(
        "addresses are read into their canonical form",
        arguments: [
            ("10.0.0.1", "10.0.0.1"), ("255.255.255.255", "255.255.255.255"), ("0.0.0.0", "0.0.0.0"), ("::", "::"),
            ("2001:DB8:0:0::1", "2001:db8::1"), ("::1", "::1"), ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::FFFF:0a00:1", "10.0.0.1"), ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ])
    func addresses(_ text: String, _ canonical: String) {
        #expect(IPAddress(validating: text)?.description == canonical)
        #expect(BindAddress(validating: text)?.description == canonical)
    }

    @Test(
        "what is only like an address is none",
        arguments: hostileTexts + [
            "256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4 ", "0x7f.0.0.1", "2130706433", "1.2.3.4:80", ":::",
            "1::2::3",
            "[::1]", "fe80::1%eth0", "::1\0", "12345::", "::ffff:1.2.3", "localhost", "1.2.3.4\n", "::1/128",
            "1111:2222:3333:4444:5555:6666:7777:8888:9",
        ])
    func notAddresses(_ text: String) {
        #expect(IPAddress(validating: text) == nil)
        #expect(BindAddress(validating: text) == nil)
    }

    @Test(
        "host names are labels of letters, digits, _ and inner hyphens",
        arguments: [
            "a", "localhost", "node-1.example.com", "node-1.example.com.", "my_service", "1a", "1.a", "3com.net",
            "xn--bcher-kva.example", String(repeating: "a", count: 63), "A.B",
        ])
    func hostNames(_ text: String) {
        #expect(HostName(validating: text)?.description == text)
        #expect(NodeAddress(validating: text) == HostName(validating: text).map { .host($0) })
    }

    @Test(
        "a hostile or malformed text is no host name",
        arguments: hostileTexts + [
            ".", "a..b", ".a", "a..", "a-", "a-.b", "a.-b", "1", "10.0.1", "256.1.1.1", "1.2.3.4.5", "0x7f.1", "0X7F.1",
            "a.1",
            "a.0x1", "a.1.", "a:1", "[::1]", "0xg", String(repeating: "a", count: 64),
            Array(repeating: "abcdefghi", count: 26).joined(separator: "."),
        ])
    func notHostNames(_ text: String) {
        #expect(HostName(validating: text) == nil)
        #expect(NodeAddress(validating: text) == nil)
    }

    @Test(
        "the address that stands for every address is none of a node",
        arguments: ["0.0.0.0", "::", "::ffff:0.0.0.0", "0:0::0"])
    func unspecified(_ text: String) {
        #expect(NodeAddress(validating: text) == nil)
        #expect(BindAddress(validating: text)?.ip.isUnspecified == true)
    }

    @Test("a node's address is an address before it is a name")
    func nodeAddress() {
        #expect(NodeAddress(validating: "10.0.0.1") == .ip(.v4(0x0a00_0001)))
        #expect(NodeAddress(validating: "2001:db8::1")?.description == "2001:db8::1")
        #expect(NodeAddress(validating: "node1")?.description == "node1")
    }
}
