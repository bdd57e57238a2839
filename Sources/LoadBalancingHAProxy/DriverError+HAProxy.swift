internal import HAProxy
internal import LoadBalancing

extension DriverError {
    /// What a fault of HAProxy's means to who asked for a change or a read.
    ///
    /// - Parameters:
    ///   - action: What was being done, for the message.
    ///   - error: The fault.
    init(_ action: String, _ error: HAProxyError) {
        let code: Code =
            switch error.code {
            case .notRunning: .notRunning
            case .invalidConfiguration, .reloadFailed, .startFailed, .commandRefused: .refused
            case .inputOutput: .storage
            case .invalidValue: .invalid
            default: .unavailable
            }
        // The oldest clients know this sentence.
        let message = code == .notRunning ? "HAProxy is not running." : "\(action) failed: \(error.message)"
        self.init(code, message, cause: error, isRetriable: error.isRetriable)
    }
}
