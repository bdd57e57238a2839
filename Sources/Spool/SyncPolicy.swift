/// When what a spool wrote is made to survive a loss of power (fdatasync(2)).
///
/// Whatever is chosen, what was written survives the end of the process, `kill -9` included.
public enum SyncPolicy: Sendable, Hashable, CustomStringConvertible {
    /// Before a write returns. Nothing that was committed is lost.
    case always
    /// At most this long after a write, plus the time that the disk takes. What was written within it can be lost.
    case interval(Duration)
    /// When the kernel does it by itself, usually within 30 seconds.
    case never

    /// Reads `always`, `never` or `interval=DURATION`, the duration a whole number with the unit `ms`, `s` or `min`.
    ///
    /// - Parameter text: The policy as the command line and configuration files have it.
    /// - Throws: ``SpoolError`` with code `invalidArgument`.
    public init(_ text: String) throws(SpoolError) {
        switch text {
        case "always": self = .always
        case "never": self = .never
        default:
            guard let interval = Self.interval(in: text) else {
                throw SpoolError(
                    .invalidArgument, "'\(text)' is no sync policy: write always, never or one like interval=5ms")
            }
            self = .interval(interval)
        }
    }

    /// The policy as ``init(_:)`` reads it, the interval in milliseconds.
    public var description: String {
        switch self {
        case .always: "always"
        case .never: "never"
        case .interval(let interval): "interval=\(Int64(interval / .milliseconds(1)))ms"
        }
    }

    private static func interval(in text: String) -> Duration? {
        let name = "interval="
        guard text.hasPrefix(name) else { return nil }
        let digits = text.dropFirst(name.count).prefix { $0.isASCII && $0.isNumber }
        guard let number = Int32(digits), number > 0 else { return nil }
        switch text.dropFirst(name.count + digits.count) {
        case "ms": return .milliseconds(number)
        case "s": return .seconds(number)
        case "min": return .seconds(Int64(number) * 60)
        default: return nil
        }
    }
}
