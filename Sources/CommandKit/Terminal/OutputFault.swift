import Glibc
import Synchronization

/// The first failure of writing to standard output, which a command ends with however late it is found out.
///
/// That nobody reads any more (EPIPE) is none.
final class OutputFault: Sendable {
    /// Standard output's.
    static let ofStandardOutput = OutputFault()

    private let number = Mutex<Int32?>(nil)

    /// Notes a failure by its `errno`.
    func note(_ error: Int32) {
        guard error != EPIPE else { return }
        number.withLock { $0 = $0 ?? error }
    }

    /// The failure as its user reads it; nil when there was none.
    var error: CommandError? {
        number.withLock { $0 }.map { number in
            CommandError(.inputOutput, "cannot write to standard output: \(String(cString: strerror(number)))")
        }
    }
}
