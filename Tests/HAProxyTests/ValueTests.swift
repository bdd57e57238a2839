import HAProxy
import Testing

@Suite struct ValueTests {
    @Test("a name, word, path or comment with any control byte, space, quote or other special byte is refused")
    func hostileBytes() throws {
        for byte in UInt8(0)...127 {
            let character = String(UnicodeScalar(byte))
            for text in ["\(character)a", "a\(character)", "a\(character)b", character] {
                let isPrintable = (0x21...0x7e).contains(byte)
                let isAlphanumeric = character.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
                let isName = isAlphanumeric || "-_.:".contains(character)
                #expect(accepts { try ProxyName(text) } == isName, "proxy \(byte)")
                #expect(accepts { try ServerName(text) } == isName, "server \(byte)")
                let isWord = isPrintable && !"\"'\\#${}".contains(character)
                #expect(accepts { try Word(text) } == isWord, "word \(byte)")
                #expect(accepts { try ConfigurationPath("/\(text)") } == isWord, "path \(byte)")
                #expect(accepts { try Comment(text) } == (byte >= 0x20 && byte != 0x7f), "comment \(byte)")
                let isPath = isAlphanumeric || "-._~!$&()*+,;=:@/?%".contains(character)
                #expect(accepts { try RequestPath("/\(text)") } == isPath, "request \(byte)")
                if !isAlphanumeric && !"-_.:[]".contains(character) {
                    #expect(!accepts { try Address(text) }, "address \(byte)")
                }
            }
        }
    }

    @Test("text outside ASCII is refused where HAProxy wants a word, and kept in a comment")
    func nonASCII() throws {
        for text in ["é", "名前", "a\u{a0}b", "a\u{2028}b", "\u{202e}a"] {
            #expect(!accepts { try ProxyName(text) })
            #expect(!accepts { try Word(text) })
            #expect(!accepts { try Address(text) })
            #expect(!accepts { try RequestPath("/" + text) })
        }
        #expect(try Comment("Größe").description == "Größe")
        #expect(!accepts { try Comment("a\u{85}b") })
        #expect(!accepts { try Comment("a\u{2028}b") })
    }

    @Test("empty and overlong texts are refused")
    func lengths() {
        #expect(!accepts { try ProxyName("") })
        #expect(!accepts { try Word("") })
        #expect(!accepts { try ConfigurationPath("") })
        #expect(!accepts { try RequestPath("") })
        #expect(!accepts { try Address("") })
        #expect(accepts { try Comment("") })
        #expect(accepts { try ServerName(String(repeating: "a", count: 255)) })
        #expect(!accepts { try ServerName(String(repeating: "a", count: 256)) })
        #expect(!accepts { try Word(String(repeating: "a", count: 1025)) })
        #expect(!accepts { try Comment(String(repeating: "a", count: 1025)) })
    }

    @Test("paths begin with a slash")
    func paths() {
        #expect(!accepts { try ConfigurationPath("run/x.sock") })
        #expect(!accepts { try RequestPath("healthz") })
        #expect(accepts { try RequestPath("/a?b=c&d=%20") })
    }

    @Test("an IP address has one form, however it is written")
    func addresses() throws {
        #expect(try Address("10.0.0.1").kind == .ipv4)
        #expect(try Address("2001:DB8:0:0:0:0:0:1").description == "2001:db8::1")
        #expect(try Address("[::1]") == Address("0:0:0:0:0:0:0:1"))
        #expect(try Address("::ffff:10.0.0.1").kind == .ipv6)
        #expect(try Address("::") == .anyIPv6)
        #expect(try Address("0.0.0.0") == .anyIPv4)
        #expect(try Address("web-1.example.com").kind == .hostName)
        #expect(try Address("web.example.com.").kind == .hostName)
        #expect(try Address("localhost").kind == .hostName)
        #expect(try Address("10.example").kind == .hostName)
    }

    @Test(
        "what is neither an IP address nor a host name is refused",
        arguments: [
            "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4:80", "::1:", "[::1", "::1]", "[10.0.0.1]", "fe80::1%eth0",
            "-a.b",
            "a..b", ".", ".a", "a b", "*", "a/b", "unix@/x", "ipv4@1.2.3.4", "1.2.3.4\0", "0x7f.1",
            String(repeating: "a", count: 64) + ".com", String(repeating: "a.", count: 127),
        ])
    func badAddresses(text: String) {
        #expect(!accepts { try Address(text) })
    }

    @Test("numbers outside their range are refused")
    func ranges() {
        #expect(accepts { try Port(1) } && accepts { try Port(65_535) })
        #expect(!accepts { try Port(0) } && !accepts { try Port(65_536) } && !accepts { try Port(-1) })
        #expect(accepts { try Weight(0) } && accepts { try Weight(256) })
        #expect(!accepts { try Weight(257) } && !accepts { try Weight(-1) })
        #expect(accepts { try Count(0) } && !accepts { try Count(-1) } && !accepts { try Count(1 << 31) })
        #expect(!accepts { try Milliseconds(0) } && accepts { try Milliseconds(Int(Int32.max)) })
        #expect(!accepts { try Milliseconds(1 << 31) } && !accepts { try Milliseconds(.min) })
        #expect(
            !accepts { try HTTPCheck.ExpectedStatus(99...200) } && !accepts { try HTTPCheck.ExpectedStatus(200...600) })
    }

    @Test("a log target is read as an operator writes it")
    func logTargets() throws {
        #expect(try LogTarget("/dev/log local0") == LogTarget(address: Word("/dev/log"), facility: .local0))
        #expect(try LogTarget(" 127.0.0.1:514\tdaemon  notice ").level == .notice)
        #expect(!accepts { try LogTarget("/dev/log") })
        #expect(!accepts { try LogTarget("/dev/log local9") })
        #expect(!accepts { try LogTarget("/dev/log local0\n") })
        #expect(!accepts { try LogTarget("/dev/log\nlocal0") })
    }

    @Test("an error names what was wrong and does not repeat control bytes")
    func errors() throws {
        let error = try #require(throws: HAProxyError.self) { try ServerName("a\nserver b") }
        #expect(error.code == .invalidValue)
        #expect(!error.isRetriable)
        #expect(error.message.contains("'a\\nserver b' cannot be the name of a server"))
    }

    private func accepts<Value>(_ body: () throws -> Value) -> Bool {
        (try? body()) != nil
    }
}
