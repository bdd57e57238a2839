import JSON
import TestServers
import Testing

@Suite struct JSONRoundTripTests {
    @Test("whatever is written is read as the same value, and written again as the same bytes", arguments: 0..<100)
    func roundTrip(_ seed: Int) throws {
        var random = RandomValues(seed: UInt64(seed))
        let value = random.value(depth: 4)
        let bytes = value.bytes()
        let read = try JSONValue(parsing: bytes)
        #expect(read == value)
        #expect(read.bytes() == bytes)
        #expect(try JSONValue(parsing: value.bytes(pretty: true)) == value)
    }

    @Test("a text with any one byte changed is read or refused, and never traps", arguments: 0..<20)
    func mutation(_ seed: Int) {
        var random = RandomValues(seed: UInt64(seed))
        let bytes = random.value(depth: 3).bytes()
        for place in stride(from: 0, to: bytes.count, by: bytes.count / 100 + 1) {
            var changed = bytes
            changed[place] = UInt8.random(in: 0...255, using: &random.generator)
            if let value = try? JSONValue(parsing: changed) {
                #expect((try? JSONValue(parsing: value.bytes())) == value)
            }
            _ = try? JSONValue(parsing: Array(bytes[..<place]))
        }
    }
}

/// Makes values that are the same for the same seed.
private struct RandomValues {
    var generator: SplitMix64

    init(seed: UInt64) {
        generator = SplitMix64(state: seed)
    }

    mutating func value(depth: Int) -> JSONValue {
        switch Int.random(in: 0...(depth > 0 ? 7 : 4), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .number(Int.random(in: .min ... .max, using: &generator))
        case 3: return decimal()
        case 4: return .string(text())
        case 5, 6: return .array((0..<count()).map { _ in value(depth: depth - 1) })
        default:
            var object = JSONObject()
            for _ in 0..<count() { object[text()] = value(depth: depth - 1) }
            return .object(object)
        }
    }

    private mutating func count() -> Int {
        Int.random(in: 0...3, using: &generator) == 0 ? 30 : Int.random(in: 0...4, using: &generator)
    }

    private mutating func decimal() -> JSONValue {
        let texts = ["1.10", "1e400", "-0.0", "18446744073709551616", "2E-3"]
        return texts.randomElement(using: &generator).flatMap { JSONNumber($0) }.map { .number($0) } ?? .null
    }

    private mutating func text() -> String {
        let scalars: [ClosedRange<UInt32>] = [0...0x7f, 0x20...0x7e, 0x80...0xd7ff, 0xe000...0x10ffff]
        var text = ""
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            let range = scalars.randomElement(using: &generator) ?? 0...0
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &generator)) {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
