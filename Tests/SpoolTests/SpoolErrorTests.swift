import Spool
import Testing

@Suite struct SpoolErrorTests {
    @Test("an error names what lies beneath it") func cause() {
        let error = SpoolError(.systemError, "above", cause: SpoolError(.systemError, "below"))
        #expect(error.description == "above: below")
    }
}
