import LoadBalancing
import Testing

@Suite struct NumberTests {
    @Test("a number out of its range is refused, and both ends of the range are not")
    func ranges() {
        checkRange(Port.self, 1...65535)
        checkRange(Weight.self, 0...256)
        checkRange(Timeout.self, 1...2_147_483_647)
        checkRange(Seconds.self, 1...2_147_483)
        checkRange(Attempts.self, 1...65535)
        checkRange(Retries.self, 0...65535)
    }

    private func checkRange<Number: BoundedInteger>(_ type: Number.Type, _ range: ClosedRange<Int>) {
        #expect(type.range == range)
        for value in [range.lowerBound, range.upperBound] {
            #expect(type.init(exactly: value)?.value == value)
            #expect(type.init(exactly: value)?.description == String(value))
        }
        for value in [range.lowerBound - 1, range.upperBound + 1, .min, .max] {
            #expect(type.init(exactly: value) == nil)
        }
    }

    @Test("numbers are ordered, and literals are numbers")
    func order() {
        #expect((1 as Port) < 2)
        #expect((80 as Port).value == 80)
    }
}
