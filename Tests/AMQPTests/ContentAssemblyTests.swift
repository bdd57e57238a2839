import Testing

@testable import AMQP

struct ContentAssemblyTests {
    private func append(_ bytes: [UInt8], to assembly: inout ContentAssembly<Int>) throws -> [UInt8]? {
        try bytes.withUnsafeBytes { piece throws(AMQPError) in try assembly.append(piece)?.body }
    }

    @Test("a body comes in any number of pieces, none of them included")
    func pieces() throws {
        var assembly = ContentAssembly<Int>()
        try assembly.begin(1)
        #expect(try assembly.header(bodySize: 0, MessageProperties())?.body == [])
        try assembly.begin(2)
        #expect(try assembly.header(bodySize: 5, MessageProperties(type: "t")) == nil)
        #expect(try append([1, 2], to: &assembly) == nil)
        #expect(try append([], to: &assembly) == nil)
        #expect(try append([3, 4, 5], to: &assembly) == [1, 2, 3, 4, 5])
        try assembly.begin(3)
    }

    @Test("frames out of turn, and bodies that are larger than announced, end the connection")
    func violations() throws {
        var assembly = ContentAssembly<Int>()
        #expect(throws: AMQPError.self) { _ = try assembly.header(bodySize: 1, MessageProperties()) }
        #expect(throws: AMQPError.self) { _ = try append([1], to: &assembly) }
        try assembly.begin(1)
        #expect(throws: AMQPError.self) { try assembly.begin(2) }
        #expect(throws: AMQPError.self) { _ = try assembly.header(bodySize: .max, MessageProperties()) }
        _ = try assembly.header(bodySize: 1, MessageProperties())
        #expect(throws: AMQPError.self) { _ = try append([1, 2], to: &assembly) }
    }
}
