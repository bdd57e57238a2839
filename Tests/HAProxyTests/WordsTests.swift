import Testing

@testable import HAProxy

@Suite struct WordsTests {
    @Test("only the alerts that say why are kept")
    func alerts() {
        let output = """
            [NOTICE]   (7) : haproxy version is 2.6.12-1+deb12u4
            [ALERT]    (7) : config : parsing [a.cfg:16] : unknown keyword 'foo' in 'frontend' section
            [ALERT]    (7) : config : Error(s) found in configuration file : a.cfg
            [ALERT]    (7) : config : Fatal errors found in configuration.
            """
        #expect(
            HAProxyWords.summary(of: Array(output.utf8))
                == "parsing [a.cfg:16] : unknown keyword 'foo' in 'frontend' section")
    }

    @Test("without alerts everything is kept, in one line and without control bytes")
    func plain() {
        #expect(HAProxyWords.summary(of: Array("  a\tb \n\n\u{1b}[31mc\n".utf8)) == "a b; [31mc")
        #expect(HAProxyWords.summary(of: []).isEmpty)
    }

    @Test("a flood is cut")
    func flood() {
        let output = Array(String(repeating: "[ALERT] (1) : something is wrong\n", count: 10_000).utf8)
        let summary = HAProxyWords.summary(of: output)
        #expect(summary.utf8.count < 2100 && summary.hasSuffix("…"))
    }
}
