import TestServers
import Testing

@testable import LogTransport

@Suite struct WireCodingTests {
    static let messages: [WireMessage] = [
        .offer(0), .offer(7),
        .hello(.max, WireMessage.Window(bytes: 1 << 20, lines: 5000)),
        .batch(
            9,
            WireMessage.BatchHeader(
                sequence: 1 << 40, sender: SenderID(high: 1, low: 2), first: 1 << 50, skip: 3, isRedelivered: true)),
        .ping(11),
        .acknowledgement(
            12, WireMessage.Progress(sequence: 13, lines: 14), WireMessage.Window(bytes: 15, lines: 16)),
        .bye(17),
    ]

    private func read(_ bytes: [UInt8]) -> WireMessage? { bytes.withUnsafeBytes { WireMessage($0) } }

    @Test("what is written is read", arguments: messages) func roundTrip(message: WireMessage) {
        #expect(read(message.bytes) == message)
    }

    @Test("the bytes are those of the document") func document() {
        #expect(
            WireMessage.acknowledgement(
                0x0102_0304_0506_0708, WireMessage.Progress(sequence: 0x10, lines: 0x20),
                WireMessage.Window(bytes: 0x30, lines: 0x40)
            ).bytes == [
                0x0a, 0x4c, 0x42, 0x52, 1, 5, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
                0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0x20, 0, 0, 0, 0x30, 0, 0, 0, 0x40, 0, 0, 0, 0,
            ])
        #expect(Self.messages.map(\.bytes.count) == [16, 16, 24, 56, 16, 40, 16])
    }

    @Test("of another length it is nothing", arguments: messages) func length(message: WireMessage) {
        for count in message.bytes.indices { #expect(read(Array(message.bytes.prefix(count))) == nil) }
        let mayGrow =
            switch message {
            case .offer, .hello: true
            default: false
            }
        #expect(read(message.bytes + [0]) == (mayGrow ? message : nil))
    }

    @Test("of a later version only what begins a session is read", arguments: messages)
    func version(message: WireMessage) {
        var bytes = message.bytes
        bytes[4] = 2
        let isBeginning =
            switch message {
            case .offer, .hello: true
            default: false
            }
        #expect(read(bytes) == (isBeginning ? message : nil))
    }

    @Test("a session of 0 is an offer's only", arguments: messages) func noSession(message: WireMessage) {
        var bytes = message.bytes
        bytes.replaceSubrange(8..<16, with: repeatElement(0, count: 8))
        #expect(read(bytes) == (message.bytes[5] == 1 ? .offer(0) : nil))
    }

    @Test("random bytes are nothing, and random changes never more than another message") func garbage() {
        var random = SplitMix64.forThisRun()
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            #expect(read(bytes) == nil)
            var changed = Self.messages.randomElement(using: &random)?.bytes ?? []
            let place = Int.random(in: changed.indices, using: &random)
            changed[place] = .random(in: 0...255, using: &random)
            if let message = read(changed) { #expect(read(message.bytes) == message) }
        }
    }
}
