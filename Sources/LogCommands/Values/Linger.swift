package import CommandKit

/// How long a command waits at its end for what is not handed on yet.
package enum Linger: Sendable, Hashable, CustomStringConvertible {
    /// At most so long.
    case atMost(TimeSpan)
    /// Until all is handed on, or a second signal ends it.
    case forever

    /// Reads a length of time, or `forever`.
    ///
    /// - Parameter text: As ``TimeSpan`` reads it; `-1` is `forever` too.
    package init?(_ text: String) {
        if text.lowercased() == "forever" || text == "-1" {
            self = .forever
        } else if let span = TimeSpan(text) {
            self = .atMost(span)
        } else {
            return nil
        }
    }

    /// The limit; nil for none.
    package var limit: Duration? {
        switch self {
        case .atMost(let span): span.duration
        case .forever: nil
        }
    }

    /// As ``init(_:)`` reads it.
    package var description: String {
        switch self {
        case .atMost(let span): span.description
        case .forever: "forever"
        }
    }
}
