import Testing

@testable import LogTransport

@Suite struct SendLedgerTests {
    private let signal: SendSignal

    init() throws { signal = try SendSignal() }

    /// A sealed block of short messages, some of which libzmq has let go of.
    private func block(lines: Int, released: Int, from first: UInt64, isNote: Bool = false) throws -> SendBlock {
        var open = OpenBlock(try SendBlock(capacity: 4096, signal: signal))
        let hint = open.hint
        for index in 0..<(isNote ? 1 : lines) {
            open.keep(1, lastNumber: isNote ? first : first + UInt64(index))
            if isNote { open.note(lines: 0) }
        }
        let block = open.seal()
        for _ in 0..<released { SendBlock.release(nil, hint) }
        return block
    }

    @Test("what libzmq has when a connection is given up is lost once, and neither left nor ahead afterwards")
    func writingOff() throws {
        var ledger = SendLedger(limit: 1 << 20)
        ledger.append(try block(lines: 10, released: 10, from: 1))
        ledger.append(try block(lines: 10, released: 4, from: 11))
        ledger.append(try block(lines: 5, released: 0, from: 21))
        let lostLines = ledger.writeOff()
        let lost = try #require(lostLines)
        #expect(lost.count == 11 && lost.noted == 0 && lost.through == 25)
        let nothing = ledger.writeOff()
        #expect(nothing == nil)
        let lines1 = ledger.lines
        #expect(lines1 == (0, 14))
        ledger.append(try block(lines: 3, released: 1, from: 26))
        let lines2 = ledger.lines
        #expect(lines2 == (2, 15))
        let moreLines = ledger.writeOff()
        let more = try #require(moreLines)
        #expect(more.count == 2 && more.through == 28)
    }

    @Test("a note that is lost has its lines told again") func lostNote() throws {
        var ledger = SendLedger(limit: 1 << 20)
        ledger.append(try block(lines: 0, released: 0, from: 7, isNote: true), noting: 5)
        let lines3 = ledger.lines
        #expect(lines3 == (0, 0))
        let lostLines = ledger.writeOff()
        let lost = try #require(lostLines)
        #expect(lost.count == 0 && lost.noted == 5 && lost.through == 7)
        ledger.append(try block(lines: 0, released: 1, from: 7, isNote: true), noting: 5)
        let nothing = ledger.writeOff()
        #expect(nothing == nil)
    }
}
