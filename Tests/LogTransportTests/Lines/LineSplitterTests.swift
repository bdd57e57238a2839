import TestServers
import Testing

@testable import LogTransport

@Suite struct LineSplitterTests {
    @Test("lines are the same wherever two cuts divide the input into blocks", arguments: [false, true])
    func everyCut(keepsNewline: Bool) {
        let input = Array("first\n\n\r\nwith\0NUL\r\nexactly8\nnine byte\n far too long for it\nlast".utf8)
        let expected = Expectation(of: input, maximumLength: 8, keepsNewline: keepsNewline)
        for first in 0...input.count {
            for second in first...input.count {
                let blocks = [input[..<first], input[first..<second], input[second...]].map { Array($0) }
                #expect(Expectation(splitting: blocks, maximumLength: 8, keepsNewline: keepsNewline) == expected)
            }
        }
    }

    @Test("lines are the same when each byte is a block", arguments: [1, 2, 7, 8, 9, 1000])
    func singleBytes(maximumLength: Int) {
        let input = Array("\n\na\nab\r\n\0\0\0\nabcdefgh\nabcdefghi\nabcdefghijklmnopqrst\nz".utf8)
        for keepsNewline in [false, true] {
            #expect(
                Expectation(splitting: input.map { [$0] }, maximumLength: maximumLength, keepsNewline: keepsNewline)
                    == Expectation(of: input, maximumLength: maximumLength, keepsNewline: keepsNewline))
        }
    }

    @Test("random input in random blocks gives the lines that it holds")
    func random() {
        var random = SplitMix64.forThisRun()
        for _ in 0..<2000 {
            let input = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                [0x0a, 0x0d, 0x00, 0x61, 0xff].randomElement(using: &random) ?? UInt8(0)
            }
            var blocks: [[UInt8]] = []
            var place = 0
            while place < input.count {
                let end = min(input.count, place + Int.random(in: 0...40, using: &random))
                blocks.append(Array(input[place..<end]))
                place = end
            }
            let maximumLength = Int.random(in: 1...20, using: &random)
            let keepsNewline = Bool.random(using: &random)
            #expect(
                Expectation(splitting: blocks, maximumLength: maximumLength, keepsNewline: keepsNewline)
                    == Expectation(of: input, maximumLength: maximumLength, keepsNewline: keepsNewline))
        }
    }

    @Test("a line of the maximum is whole, and one of a byte more is cut and counted")
    func maximum() {
        let input = Array("12345678\n123456789\n".utf8)
        let result = Expectation(splitting: [input], maximumLength: 8, keepsNewline: false)
        #expect(result.lines == ["12345678", "12345678"].map { Array($0.utf8) })
        #expect(result.cutLines == 1)
        #expect(result.cutBytes == 1)
    }

    @Test("a line that is cut is given before its end has come")
    func earlyCut() {
        var splitter = LineSplitter(maximumLength: 4)
        let given = Array("abcdef".utf8).withUnsafeBytes { block -> [UInt8]? in
            splitter.add(block)
            return splitter.next().map { Array($0) }
        }
        #expect(given == Array("abcd".utf8))
    }

    @Test("an input that ends with a line feed has no empty line behind it")
    func terminated() {
        #expect(Expectation(splitting: [Array("a\n".utf8)], maximumLength: 8, keepsNewline: false).lines == [[0x61]])
        #expect(Expectation(splitting: [], maximumLength: 8, keepsNewline: false).lines.isEmpty)
    }

    @Test("a line of 20 MiB in small blocks is cut at 1 MiB, and the next is whole")
    func huge() {
        var splitter = LineSplitter(maximumLength: 1 << 20)
        var lengths: [Int] = []
        var input = [[UInt8]](repeating: .init(repeating: 0x78, count: 65_536), count: 320)
        input.append(Array("\nnext\n".utf8))
        for block in input {
            block.withUnsafeBytes { bytes in
                splitter.add(bytes)
                while let line = splitter.next() { lengths.append(line.count) }
            }
        }
        #expect(lengths == [1 << 20, 4])
        #expect(splitter.cutLines == 1)
        #expect(splitter.cutBytes == 19 << 20)
    }

    @Test("memory that a huge line needed is let go, and shorter ones take none")
    func memory() {
        var bytes = OwnedBytes(usualCapacity: 100)
        bytes.reserve(100)
        #expect(bytes.capacity == 100)
        bytes.start.storeBytes(of: 42, as: UInt8.self)
        bytes.reserve(5_000_000)
        #expect(bytes.capacity >= 5_000_000)
        #expect(bytes.capacity < 6_000_000)
        #expect(bytes.start.load(as: UInt8.self) == 42)
        bytes.shrink()
        #expect(bytes.capacity == 100)
    }
}

/// The lines of an input and what was cut.
private struct Expectation: Equatable {
    var lines: [[UInt8]] = []
    var cutLines: UInt64 = 0
    var cutBytes: UInt64 = 0

    /// Takes the input apart in the plainest way.
    init(of input: [UInt8], maximumLength: Int, keepsNewline: Bool) {
        var parts = input.split(separator: 0x0a, omittingEmptySubsequences: false)
        let last = parts.removeLast()
        for part in parts { add(part, hasNewline: true, maximumLength, keepsNewline) }
        if !last.isEmpty { add(last, hasNewline: false, maximumLength, keepsNewline) }
    }

    private mutating func add(_ part: ArraySlice<UInt8>, hasNewline: Bool, _ maximumLength: Int, _ keepsNewline: Bool) {
        let isCut = part.count > maximumLength
        if isCut {
            cutLines += 1
            cutBytes += UInt64(part.count - maximumLength)
        }
        lines.append(Array(part.prefix(maximumLength)) + (keepsNewline && (hasNewline || isCut) ? [0x0a] : []))
    }

    /// Has a splitter take the blocks apart; each is overwritten when it is used up, as a reader's is.
    init(splitting blocks: [[UInt8]], maximumLength: Int, keepsNewline: Bool) {
        var splitter = LineSplitter(maximumLength: maximumLength, keepsNewline: keepsNewline)
        for var block in blocks {
            block.withUnsafeMutableBytes { bytes in
                splitter.add(UnsafeRawBufferPointer(bytes))
                while let line = splitter.next() { lines.append(Array(line)) }
                for place in bytes.indices { bytes[place] = 0x21 }
            }
        }
        splitter.finish()
        while let line = splitter.next() { lines.append(Array(line)) }
        (cutLines, cutBytes) = (splitter.cutLines, splitter.cutBytes)
    }
}
