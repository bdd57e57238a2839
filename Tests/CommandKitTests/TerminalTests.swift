import Glibc
import TestServers
import Testing

@testable import CommandKit

@Suite struct TerminalTests {
    @Test("columns begin, or end, below each other, and lines have no blanks at their end")
    func table() {
        var table = Table([Table.Column("WORKER"), Table.Column("JOBS", isRightAligned: true), Table.Column("NOTE")])
        #expect(table.drawn(width: nil, hasColour: false) == "")
        table.append(["lb-1", "5", "ok"])
        table.append(["lb-with-long-name", "12345", ""])
        table.append(["x"])
        #expect(
            table.drawn(width: nil, hasColour: false) == """
                WORKER              JOBS  NOTE
                lb-1                   5  ok
                lb-with-long-name  12345
                x

                """)
    }

    @Test("on a narrow terminal the widest columns give way")
    func narrow() {
        var table = Table([Table.Column("NAME"), Table.Column("STATUS")])
        table.append(["a-very-long-name-of-a-worker", "PASS"])
        #expect(table.drawn(width: 20, hasColour: false) == "NAME          STATUS\na-very-long…  PASS\n")
        for width in 0...40 {
            let lines = table.drawn(width: width, hasColour: false).split(separator: "\n")
            #expect(lines.allSatisfy { displayWidth($0) <= max(width, 10) })
        }
    }

    @Test("wide, combining and control characters keep columns straight")
    func widths() {
        #expect(displayWidth("abc") == 3)
        #expect(displayWidth("日本") == 4)
        #expect(displayWidth("e\u{301}") == 1)
        #expect(displayWidth("👩‍👩‍👧") == 2)
        #expect(fitting("日本語", into: 5) == "日本…")
        var table = Table([Table.Column("A"), Table.Column("B")])
        table.append(["\u{1b}[31m", "x"])
        #expect(table.drawn(width: nil, hasColour: false) == "A         B\n\\x1b[31m  x\n")
    }

    @Test("styles are applied where colours are shown, and do not move columns")
    func style() {
        var table = Table([Table.Column("A"), Table.Column("B")])
        table.append([Table.Cell("FAIL", style: .red), "x"])
        #expect(
            table.drawn(width: nil, hasColour: true)
                == "\u{1b}[1mA\u{1b}[0m     \u{1b}[1mB\u{1b}[0m\n\u{1b}[31mFAIL\u{1b}[0m  x\n")
    }

    @Test("a terminal is known by its descriptor; NO_COLOR and TERM=dumb take its colours")
    func pseudoTerminal() throws {
        let terminal = try PseudoTerminal(columns: 33)
        #expect(Terminal(terminal.descriptor, environment: [:]).hasColour)
        #expect(Terminal(terminal.descriptor, environment: [:]).width == 33)
        #expect(!Terminal(terminal.descriptor, environment: ["NO_COLOR": "1"]).hasColour)
        #expect(Terminal(terminal.descriptor, environment: ["NO_COLOR": ""]).hasColour)
        #expect(!Terminal(terminal.descriptor, environment: ["TERM": "dumb"]).hasColour)
        let file = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(file) }
        let none = Terminal(file, environment: [:])
        #expect(!none.isTerminal && !none.hasColour && none.width == nil)
        #expect(Style.red("x", on: none) == "x")
    }

    @Test("a progress line is drawn over, ten times a second at most, cut to the width and taken away on a terminal")
    func progress() throws {
        let terminal = try PseudoTerminal(columns: 10)
        let line = ProgressLine(on: Terminal(terminal.descriptor, environment: [:]))
        let start = ContinuousClock.now
        line.update("1 of 100000 workers", at: start)
        line.update("2 of 100000 workers", at: start + .milliseconds(99))
        line.update("3 of 100000 workers", at: start + .milliseconds(100))
        line.clear()
        line.clear()
        line.update("4")
        #expect(terminal.read() == "\r\u{1b}[K1 of 100…\r\u{1b}[K3 of 100…\r\u{1b}[K\r\u{1b}[K4")
    }

    @Test("a progress line writes nothing where there is no terminal")
    func noProgress() async throws {
        try await withTemporaryFolder { folder in
            let file = open("\(folder)/out", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            defer { close(file) }
            let line = ProgressLine(on: Terminal(file, environment: [:]))
            line.update("x")
            line.clear()
            #expect(readText("\(folder)/out") == "")
        }
    }
}

/// A terminal that the test reads.
private final class PseudoTerminal {
    private let master: Int32
    let descriptor: Int32

    init(columns: UInt16) throws {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // TIOCSPTLCK and TIOCGPTN, which are not in the overlay.
        var lock: Int32 = 0
        var number: Int32 = 0
        guard ioctl(master, 0x4004_5431, &lock) == 0, ioctl(master, 0x8004_5430, &number) == 0 else {
            throw TestServerError("no terminal: \(String(cString: strerror(errno)))")
        }
        descriptor = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(descriptor, UInt(TIOCSWINSZ), &size)
    }

    deinit {
        close(descriptor)
        close(master)
    }

    func read() -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        while case let count = Glibc.read(master, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
