import CommandKit
import Glibc

/// A table that is redrawn where it was.
struct TopScreen {
    /// What is drawn.
    struct Content: Sendable {
        let machines: Int
        let table: Table
        let trouble: String?
    }

    let terminal: Terminal
    private var height = 0

    init(terminal: Terminal) { self.terminal = terminal }

    /// How many machines there is room for.
    var rows: Int {
        var size = winsize()
        guard terminal.isTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else {
            return .max
        }
        // A line above, the heading, and the one where the cursor stands.
        return max(Int(size.ws_row) - 3, 1)
    }

    /// What to write so that the content is seen, in the place of what was drawn before.
    mutating func redrawn(_ content: Content) -> String {
        var text = content.machines == 1 ? "1 machine" : "\(content.machines) machines"
        if let trouble = content.trouble {
            // A line that wraps would be counted as one.
            let room = max((terminal.width ?? .max) - text.count - 3, 0)
            text += "  " + Style.red(String(visibleText(trouble).prefix(room)), on: terminal)
        }
        text += "\n" + content.table.drawn(for: terminal)
        guard terminal.isTerminal else { return text }
        // ECMA-48: up to the first line of the last table, and erase from there to the end of the screen.
        let back = height > 0 ? "\u{1b}[\(height)A\r\u{1b}[J" : ""
        height = text.utf8.count { $0 == UInt8(ascii: "\n") }
        return back + text
    }
}
