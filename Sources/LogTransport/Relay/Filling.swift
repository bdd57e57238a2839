internal import Synchronization

/// The thread that fills the spool, as the one that empties it sees it.
final class Filling: Sendable {
    /// Set when the thread puts nothing more into the spool.
    let hasEnded: Flag
    private let control: RelayControl
    private let result = Mutex<Result<UInt64, LogTransportError>>(.success(0))

    init(control: RelayControl) throws(LogTransportError) {
        hasEnded = try Flag()
        self.control = control
    }

    /// Runs the thread's work, in the thread.
    ///
    /// - Parameter body: Returns how many lines it took from the input and could not put into the spool.
    func run(_ body: (RelayControl) throws(LogTransportError) -> UInt64) {
        do throws(LogTransportError) {
            let left = try body(control)
            result.withLock { $0 = .success(left) }
        } catch {
            result.withLock { $0 = .failure(error) }
        }
        hasEnded.set()
    }

    /// Ends the thread, if it has not ended, and waits for that.
    ///
    /// - Returns: What came of its work.
    @discardableResult
    func end() -> Result<UInt64, LogTransportError> {
        if !hasEnded.isSet {
            control.end()
            try? Wait.any(of: [Wait(.descriptor(hasEnded.descriptor), .input)])
        }
        return result.withLock { $0 }
    }
}
