import LogTransport
import Testing

@Suite struct LogTransportErrorTests {
    @Test("an error names what lies beneath it") func cause() {
        let error = LogTransportError(.systemError, "above", cause: LogTransportError(.systemError, "below"))
        #expect(error.description == "above: below")
    }
}
