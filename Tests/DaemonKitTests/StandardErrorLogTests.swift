import Glibc
import Testing

@testable import DaemonKit

@Suite(.timeLimit(.minutes(1))) struct StandardErrorLogTests {
    @Test("a pipe that nobody reads loses lines and holds nobody up; lines come again once it is read")
    func full() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let log = StandardErrorLog(descriptor: ends[1])
        let line = Array(String(repeating: "x", count: 999).utf8) + [UInt8(ascii: "\n")]
        let start = ContinuousClock.now
        for _ in 0..<1000 { log.write(line) }
        // Once it has waited in vain, it does not wait for each line.
        #expect(.now - start < .seconds(30))
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(ends[0], &bytes, bytes.count)
        #expect(count > 0 && count % 1000 == 0, "\(count) bytes: lines are whole")
        log.write(Array("again\n".utf8))
        #expect(read(ends[0], &bytes, bytes.count) == 6)
    }
}
