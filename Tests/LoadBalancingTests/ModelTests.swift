import LoadBalancing
import Testing
@Suite struct ModelTests {
    @Test("a port of 0 is refused") func port() { #expect(Port(exactly: 0) == nil) }
}
