import ZeroMQ
import Testing

@Suite struct ZeroMQErrorTests {
    @Test("an error names what lies beneath it") func cause() {
        let error = ZeroMQError(.systemError, "above", cause: ZeroMQError(.systemError, "below"))
        #expect(error.description == "above: below")
    }
}
