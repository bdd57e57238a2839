import Synchronization

/// One line on standard error that is drawn again and again while something lasts; nothing where there is no terminal.
///
/// Any number of tasks may update it: it is drawn at most ten times a second.
public final class ProgressLine: Sendable {
    private let terminal: Terminal
    private let clock = ContinuousClock()
    private let state = Mutex(State())

    private struct State {
        var isShown = false
        var lastDrawn: ContinuousClock.Instant?
    }

    /// Begins with nothing on the line.
    ///
    /// - Parameter terminal: Where the line is drawn.
    public init(on terminal: Terminal = .error) { self.terminal = terminal }

    /// Draws the line, unless that was done a moment ago.
    ///
    /// - Parameter text: What the line says; it is cut to the terminal's width.
    public func update(_ text: @autoclosure () -> String) { update(text(), at: clock.now) }

    func update(_ text: @autoclosure () -> String, at now: ContinuousClock.Instant) {
        guard terminal.isTerminal else { return }
        state.withLock { state in
            if let last = state.lastDrawn, last.duration(to: now) < .milliseconds(100) { return }
            state.lastDrawn = now
            state.isShown = true
            // A line of the terminal's full width would wrap on some.
            terminal.write("\r\u{1b}[K" + fitting(visibleText(text()), into: (terminal.width ?? 80) - 1))
        }
    }

    /// Takes the line away, so that something else can be written there.
    public func clear() {
        guard terminal.isTerminal else { return }
        state.withLock { state in
            guard state.isShown else { return }
            state = State()
            terminal.write("\r\u{1b}[K")
        }
    }
}
