import TestServers
import Testing

@testable import ObjectStorage

@Suite struct XMLElementTests {
    @Test("an answer of S3 is read, with references, CDATA, comments and prefixes")
    func answer() throws {
        let root = try #require(
            read(
                """
                  <?xml version="1.0" encoding="UTF-8"?>
                <s3:Error xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/" a='>'><!-- a <b> -->
                  <Code>NoSuchKey</Code><Message>a &lt;&amp;&gt; &#x263A;&#65;<![CDATA[ <x> ]]>.</Message><Empty/>
                </s3:Error>
                """))
        #expect(root.name == "Error")
        #expect(root["Code"] == "NoSuchKey")
        #expect(root["Message"] == "a <&> ☺A <x> .")
        #expect(root["Empty"] == "")
        #expect(root["Missing"] == nil)
    }

    @Test(
        "what is no small document is refused",
        arguments: [
            "", " ", "text", "<a>", "</a>", "<a></b>", "<a/><b/>", "<a>&nbsp;</a>", "<a>&#xD800;</a>", "<a>&lt</a>",
            "<a b></a>",
            "<a b=\"1></a>", "<a/>x", "<a><![CDATA[x</a>", "<a><!-- x</a>", "<1:/>", "<html><p>Bad Gateway</html>",
            "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>", "<a>\u{0}</b>", "{\"error\": 1}",
        ])
    func refused(_ text: String) { #expect(read(text) == nil) }

    @Test("an element in an element a million times over is refused, and does not use up the stack")
    func deep() { #expect(read(String(repeating: "<a>", count: 1_000_000)) == nil) }

    @Test("bytes changed at random never do more than make it no document")
    func noise() {
        var random = SplitMix64.forThisRun()
        let document = Array("<r><k>a&amp;b</k><e x=\"1\"/><![CDATA[z]]><!-- c --></r>".utf8)
        for _ in 0..<20_000 {
            var bytes = document
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = bytes.indices.randomElement(using: &random) ?? 0
                bytes[index] = UInt8.random(in: 0...255, using: &random)
            }
            if let root = XMLElement(bytes) { #expect(root.children.count <= 4) }
        }
    }

    private func read(_ text: String) -> XMLElement? { XMLElement(Array(text.utf8)) }
}
