import Glibc
import Synchronization

/// Where the lines of a log go.
public protocol LogDestination: Sendable {
    /// Writes a line at once and whole, or loses it; never throws, and never waits for room.
    ///
    /// - Parameter line: The line, with its line feed.
    func write(_ line: [UInt8])
}

/// Standard error as the place of a log: for a worker in the foreground.
///
/// A pipe that nobody reads, or a terminal that is held, must not hold up the program: after a tenth of a second without
/// room lines are lost, until there is some again.
public struct StandardErrorLog: LogDestination {
    private let descriptor: Int32
    /// Whether the last line found no room, so that the next one is not waited for.
    private static let isStuck = Atomic(false)
    /// How long a line waits for room, in milliseconds.
    private static let patience: Int32 = 100
    /// Linux says that a pipe can be written to when a page of it is free (pipe(7)).
    private static let piece = 4096

    /// Creates the destination.
    public init() { self.init(descriptor: STDERR_FILENO) }

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Writes a line; it is lost when standard error cannot take it.
    ///
    /// - Parameter line: The line, with its line feed.
    public func write(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            guard hasRoom() else { return }
            let piece = rest.prefix(Self.piece)
            let count = retrying { piece.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private func hasRoom() -> Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        let patience = Self.isStuck.load(ordering: .relaxed) ? 0 : Self.patience
        let isReady = retrying { Int(poll(&item, 1, patience)) } > 0
        Self.isStuck.store(!isReady, ordering: .relaxed)
        return isReady
    }
}
