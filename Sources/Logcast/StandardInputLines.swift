import CommandKit
import DedicatedThread
import Glibc
import LogTransport

/// The lines of standard input as text, read on a thread of its own; what is not UTF-8 is repaired.
actor StandardInputLines {
    /// A line longer than this is cut, in bytes.
    static let maximumLength = 1 << 20

    private let thread = DedicatedThread(name: "input")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
    private var reader: LineReader

    /// Looks at standard input.
    ///
    /// - Throws: `CommandError` when it cannot be read.
    init() throws(CommandError) {
        do throws(LogTransportError) {
            reader = try LineReader(maximumLength: Self.maximumLength)
        } catch {
            throw CommandError(.inputOutput, error.description, cause: error)
        }
    }

    /// Waits for lines.
    ///
    /// - Returns: At least one line; nil at the end of the input.
    func next() throws(CommandError) -> [String]? {
        do throws(LogTransportError) {
            while true {
                switch try reader.read() {
                case .end: return nil
                case .nothingYet:
                    var wait = pollfd(fd: reader.descriptor, events: Int16(POLLIN), revents: 0)
                    _ = poll(&wait, 1, -1)
                case .lines:
                    var lines: [String] = []
                    while let line = reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
                    if !lines.isEmpty { return lines }
                }
            }
        } catch {
            throw CommandError(.inputOutput, error.description, cause: error)
        }
    }
}
