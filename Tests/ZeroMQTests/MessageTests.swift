import Synchronization
import TestServers
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(1))) struct MessageTests {
    @Test("a message holds a copy of what it is given, and can be used again")
    func copying() throws {
        var message = Message()
        #expect(message.bytes == [])
        for bytes: [UInt8] in [[1, 2, 3], [], Array(repeating: 9, count: 100_000)] {
            try bytes.withUnsafeBytes { try message.copy($0) }
            #expect(message.bytes == bytes)
            #expect(message.count == bytes.count)
        }
        try message.resize(to: 3)
        message.withUnsafeMutableBytes { $0.copyBytes(from: [4, 5, 6]) }
        #expect(message.bytes == [4, 5, 6])
        #expect(message.hasMore == false)
    }

    @Test("a message that was sent is empty; one that was not keeps what it holds")
    func sending() throws {
        let context = try Context()
        var push = try Socket(.push, in: context)
        let endpoint = try push.bind(Endpoint("tcp://127.0.0.1:*"))
        var message = Message()
        try [UInt8](arrayLiteral: 1, 2).withUnsafeBytes { try message.copy($0) }
        #expect(try !push.send(&message, wait: false))
        #expect(message.bytes == [1, 2])
        var pull = try Socket(.pull, in: context)
        try pull.connect(endpoint)
        #expect(try push.send(&message, wait: true))
        #expect(message.bytes == [])
        #expect(try pull.received() == [[1, 2]])
    }

    @Test("bytes that a message adopted are released once, when they are on their way or dropped")
    func adopting() async throws {
        let releases = ReleaseCount()
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 50_000, alignment: 1)
        defer { bytes.deallocate() }
        bytes.initializeMemory(as: UInt8.self, repeating: 3)
        let context = try Context()
        var pull = try Socket(.pull, in: context)
        let endpoint = try pull.bind(Endpoint("tcp://127.0.0.1:*"))
        var push = try Socket(.push, in: context)
        try push.connect(endpoint)
        var message = Message()
        try message.adopt(UnsafeRawBufferPointer(bytes), hint: releases.hint, release: countRelease)
        #expect(releases.count == 0)
        #expect(try push.send(&message, wait: true))
        #expect(try pull.received() == [Array(bytes)])
        try await eventually("the release") { releases.count == 1 }

        try message.adopt(UnsafeRawBufferPointer(bytes), hint: releases.hint, release: countRelease)
        message = Message()
        #expect(releases.count == 2)
    }
}

private final class ReleaseCount: Sendable {
    private let value = Atomic<Int>(0)

    var count: Int { value.load(ordering: .acquiring) }

    var hint: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    func add() { value.add(1, ordering: .releasing) }
}

private func countRelease(_ bytes: UnsafeMutableRawPointer?, _ hint: UnsafeMutableRawPointer?) {
    guard let hint else { return }
    Unmanaged<ReleaseCount>.fromOpaque(hint).takeUnretainedValue().add()
}
