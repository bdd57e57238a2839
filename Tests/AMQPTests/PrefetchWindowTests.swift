import Testing

@testable import AMQP

struct PrefetchWindowTests {
    /// Messages arrive, each as long as said, and all of them are answered at once.
    private func pass(_ lengths: [Int], through window: inout PrefetchWindow, from tag: UInt64 = 1) -> [Int] {
        var changes: [Int] = []
        for (number, length) in lengths.enumerated() {
            window.arrive(tag + UInt64(number), bytes: length)
            if let count = window.change() { changes.append(count) }
            window.settle(tag + UInt64(number), through: false)
            if let count = window.change() { changes.append(count) }
        }
        return changes
    }

    @Test("it begins with one message, and goes up to the most while messages are short")
    func growth() {
        var window = PrefetchWindow(most: 1_000, limit: 1 << 20)
        #expect(window.count == 1)
        #expect(pass(Array(repeating: 200, count: 700), through: &window) == [8, 64, 512, 1_000])
        #expect(window.openBytes == 0)
    }

    @Test("long messages are asked for by as many as the limit has room for, and it grows again behind them")
    func longMessages() {
        var window = PrefetchWindow(most: 1_000, limit: 1_000)
        #expect(pass(Array(repeating: 200, count: 100), through: &window) == [5])
        #expect(pass(Array(repeating: 900, count: 100), through: &window, from: 101).isEmpty)
        #expect(pass(Array(repeating: 1, count: 2_000), through: &window, from: 201) == [40, 320, 1_000])
        var single = PrefetchWindow(most: 1_000, limit: 1_000)
        #expect(pass(Array(repeating: 5_000, count: 100), through: &single).isEmpty)
    }

    @Test("with more than the limit unanswered it is one, until half of that is answered")
    func overfull() {
        var window = PrefetchWindow(most: 100, limit: 1_000)
        #expect(pass(Array(repeating: 1, count: 200), through: &window) == [8, 64, 100])
        for tag in 201...203 as ClosedRange<UInt64> {
            window.arrive(tag, bytes: 400)
            #expect(window.change() == (tag == 203 ? 1 : nil))
        }
        window.arrive(204, bytes: 1)
        #expect(window.change() == nil)
        window.settle(201, through: false)
        #expect(window.change() == nil)
        window.settle(203, through: true)
        #expect(window.openBytes == 1)
        // The longest of those that came since was one byte.
        #expect(window.change() == 8)
    }

    @Test("who answers nothing gets no more than it had room for, however often lengths change")
    func unanswered() {
        var window = PrefetchWindow(most: 1_000, limit: 1 << 20)
        var (tag, credit): (UInt64, Int) = (0, 1)
        while credit > 0, tag < 1_000_000 {
            tag += 1
            credit -= 1
            window.arrive(tag, bytes: tag.isMultiple(of: 100) ? 100_000 : 100)
            if let count = window.change() { credit = count }
        }
        #expect(tag < 10_000)
        #expect(window.openBytes < 3 << 20)
    }
}
