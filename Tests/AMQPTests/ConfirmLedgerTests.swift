import Testing

@testable import AMQP

struct ConfirmLedgerTests {
    private func ledger(window: Int, sent: Int) -> ConfirmLedger {
        var ledger = ConfirmLedger(window: window)
        for _ in 0..<sent { _ = ledger.send() }
        return ledger
    }

    @Test("one confirm settles one message, one for many settles all before it")
    func single() {
        var ledger = ledger(window: 10, sent: 10)
        #expect(ledger.room == 0)
        #expect(ledger.settle(tag: 1, isMultiple: false) == [1...1])
        #expect(ledger.room == 1)
        #expect(ledger.settle(tag: 7, isMultiple: true) == [2...7])
        #expect(ledger.room == 7)
        #expect(ledger.settle(tag: 0, isMultiple: true) == [8...10])
        #expect(ledger.isEmpty)
    }

    @Test("messages settled out of turn are not settled again, and room comes when the oldest is settled")
    func outOfTurn() {
        var ledger = ledger(window: 6, sent: 6)
        #expect(ledger.settle(tag: 3, isMultiple: false) == [3...3])
        #expect(ledger.settle(tag: 3, isMultiple: false) == [])
        #expect(ledger.settle(tag: 5, isMultiple: false) == [5...5])
        #expect(ledger.room == 0)
        #expect(ledger.settle(tag: 6, isMultiple: true) == [1...2, 4...4, 6...6])
        #expect(ledger.room == 6)
        #expect(ledger.settle(tag: 6, isMultiple: true) == [])
    }

    @Test("numbers go on over channels while tags begin again")
    func restart() {
        var ledger = ledger(window: 8, sent: 5)
        _ = ledger.settle(tag: 2, isMultiple: false)
        #expect(ledger.restart() == [1...1, 3...5])
        #expect(ledger.send() == 6)
        #expect(ledger.settle(tag: 1, isMultiple: false) == [6...6])
        #expect(ledger.restart() == [])
        #expect(ledger.send() == 7)
    }

    @Test("a confirm for what was never sent is noticed")
    func unknown() {
        var ledger = ledger(window: 8, sent: 3)
        #expect(ledger.settle(tag: 4, isMultiple: false) == nil)
        #expect(ledger.settle(tag: .max, isMultiple: true) == nil)
        #expect(ledger.settle(tag: 0, isMultiple: false) == nil)
        _ = ledger.restart()
        #expect(ledger.settle(tag: .max, isMultiple: false) == nil)
        #expect(ledger.settle(tag: 1, isMultiple: false) == nil)
    }

    @Test("however confirms come, each message is settled once")
    func random() {
        var generator = SystemRandomNumberGenerator()
        var ledger = ConfirmLedger(window: 16)
        var open: Set<UInt64> = []
        for _ in 0..<20_000 {
            if ledger.room > 0, Bool.random(using: &generator) {
                open.insert(ledger.send())
            } else if let tag = open.randomElement(using: &generator) {
                let isMultiple = Bool.random(using: &generator)
                let settled = (ledger.settle(tag: tag, isMultiple: isMultiple) ?? []).flatMap { Array($0) }
                let expected = open.filter { isMultiple ? $0 <= tag : $0 == tag }
                #expect(settled == expected.sorted())
                open.subtract(expected)
            }
            #expect(ledger.isEmpty == open.isEmpty)
            #expect(ledger.room == 16 - (open.min().map { Int(ledger.next - $0) } ?? 0))
        }
    }
}
