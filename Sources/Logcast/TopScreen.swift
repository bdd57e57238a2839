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

    private var height = 0

    /// How many machines there is room for.
    func rows(of terminal: Terminal) -> Int {
        var size = winsize()
        guard terminal.canRedraw, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else {
            return .max
        }
        // A line above, the heading, and the one where the cursor stands.
        return max(Int(size.ws_row) - 3, 1)
    }

    /// What to write so that the content is seen, in the place of what was drawn before.
    ///
    /// - Parameters:
    ///   - content: What is drawn.
    ///   - terminal: The terminal as it is now: its width may have changed.
    /// - Returns: The text.
    mutating func redrawn(_ content: Content, on terminal: Terminal) -> String {
        var text = content.machines == 1 ? "1 machine" : "\(content.machines) machines"
        if let trouble = content.trouble {
            let room = max((terminal.width ?? .max) - text.count - 3, 0)
            text += "  " + Style.red(String(visibleText(trouble).prefix(room)), on: terminal)
        }
        text += "\n" + content.table.drawn(for: terminal)
        guard terminal.canRedraw else { return text }
        // ECMA-48: up to the first line of the last table, and erase from there to the end of the screen.
        let back = height > 0 ? "\u{1b}[\(height)A\r\u{1b}[J" : ""
        height = text.utf8.count { $0 == UInt8(ascii: "\n") }
        // DECAWM: a line that is too long ends at the edge. One that wraps would be counted as one.
        return "\u{1b}[?7l" + back + text + "\u{1b}[?7h"
    }
}
