import Testing

@testable import HAProxy

@Suite struct StreamAddressTests {
    @Test("the streams of backends are found, those of the Runtime API and what is no stream are not")
    func list() {
        let reply = """
            0x557f56b6ea00: proto=unix_stream src=unix:1 fe=GLOBAL be=<NONE> srv=<none> ts=00 age=1s
            0x557F56c83380: proto=tcpv4 src=127.0.0.1:35348 fe=f be=b srv=s1 ts=00 age=1s
            0x1;quit: proto=tcpv4 fe=f be=b
            0x2: cut short
            be=b 0x3:

            """
        #expect(StreamAddress.list(in: Array(reply.utf8)).map(\.text) == ["0x557F56c83380"])
        #expect(StreamAddress.list(in: []).isEmpty)
    }
}
