import TestServers
import Testing

@testable import LogTransport

@Suite struct RecordRingTests {
    @Test("records come out as they went in, whatever their sizes") func model() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix64(state: seed)
        for _ in 0..<200 {
            var ring = RecordRing(capacity: Int.random(in: 64...600, using: &random))
            var model: [(number: UInt64, bytes: [UInt8])] = []
            for number in UInt64(1)...300 {
                if Int.random(in: 0..<3, using: &random) > 0 {
                    let bytes = [UInt8](
                        repeating: UInt8(number & 255), count: Int.random(in: 0...120, using: &random))
                    if bytes.withUnsafeBytes({ ring.append($0, number: number, kind: 5) }) {
                        model.append((number, bytes))
                    } else {
                        #expect(bytes.count > 16 || !model.isEmpty, "seed \(seed)")
                    }
                } else if let expected = model.first, let first = ring.first {
                    #expect(first.number == expected.number && first.kind == 5, "seed \(seed)")
                    #expect(Array(first.bytes) == expected.bytes, "seed \(seed)")
                    ring.removeFirst()
                    model.removeFirst()
                }
                #expect(ring.count == UInt64(model.count), "seed \(seed)")
            }
        }
    }

    @Test("an empty queue takes a record as large as it is, and no larger one") func largest() {
        var ring = RecordRing(capacity: 64)
        let bytes = [UInt8](repeating: 1, count: 64)
        let fits = (ring.canHold(48), ring.canHold(49))
        #expect(fits == (true, false))
        #expect(!bytes.withUnsafeBytes { ring.append($0, number: 1) })
        #expect(bytes[..<48].withUnsafeBytes { ring.append($0, number: 1) })
        #expect(!bytes[..<0].withUnsafeBytes { ring.append($0, number: 2) })
        ring.removeFirst()
        #expect(ring.first == nil)
        #expect(bytes[..<48].withUnsafeBytes { ring.append($0, number: 3) })
    }

    @Test("lines that are missing count from the number of the last of them") func gaps() {
        var gaps = GapLedger()
        gaps.add(3, through: 5)
        gaps.add(1, through: 9)
        #expect([4, 5, 8, 9, 100].map { gaps.missing(through: $0) } == [0, 3, 3, 4, 4])
    }
}
