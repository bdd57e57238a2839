import Glibc

/// Where the lines of a log go.
public protocol LogDestination: Sendable {
    /// Writes a line at once and whole, or loses it; never throws, and never waits for room.
    ///
    /// - Parameter line: The line, with its line feed.
    func write(_ line: [UInt8])
}

/// Standard error as the place of a log: for a worker in the foreground.
public struct StandardErrorLog: LogDestination {
    /// Creates the destination.
    public init() {}

    /// Writes a line; it is lost when standard error cannot take it.
    ///
    /// - Parameter line: The line, with its line feed.
    public func write(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            let count = retrying { rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) } }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
