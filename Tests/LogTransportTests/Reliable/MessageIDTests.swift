import LogTransport
import Testing

@Suite struct MessageIDTests {
    @Test("a sender's id is a UUID of version 4") func form() throws {
        let text = SenderID().description
        #expect(text.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
    }

    @Test("an id is read from its text") func text() throws {
        let id = SenderID()
        #expect(SenderID(id.description) == id)
        #expect(SenderID(id.description.uppercased()) == id)
        #expect(SenderID("00000000-0000-0000-0000-00000000000F")?.description == "00000000-0000-0000-0000-00000000000f")
        #expect(MessageID(sender: id, number: 5).description == "\(id):5")
    }

    @Test("a spool's sender has an id of its own, always the same") func spool() {
        #expect(SenderID(spool: 0x0123_4567_89ab_cdef).description == "01234567-89ab-8cde-8000-00000000000f")
        #expect(SenderID(spool: .max).description == "ffffffff-ffff-8fff-8000-00000000000f")
    }

    @Test(
        "what is no UUID is refused",
        arguments: [
            "", "0", "00000000-0000-0000-0000-00000000000", "00000000-0000-0000-0000-00000000000g",
            "000000000000-0000-0000-0000-00000000", "+0000000-0000-0000-0000-000000000000",
            "00000000-0000-0000-0000-0000000000000", "00000000-0000-0000-0000-0000000000\u{e9}",
        ])
    func refused(text: String) { #expect(SenderID(text) == nil) }
}
