internal import HAProxy
internal import LoadBalancing

extension DriverError {
    /// What a fault of HAProxy's means to who asked for a change or a read.
    ///
    /// The message is the fault's own, which names the thing and has HAProxy's words.
    init(_ error: HAProxyError, failedNodes: [NodeReference] = []) {
        let code: Code =
            switch error.code {
            case .notRunning: .notRunning
            case .invalidConfiguration, .reloadFailed, .startFailed, .commandRefused,
                .addressUnavailable:
                .refused
            case .inputOutput: .storage
            case .invalidValue: .invalid
            default: .unavailable
            }
        // The oldest clients know this sentence.
        let message = code == .notRunning ? "HAProxy is not running." : error.message
        self.init(code, message, cause: error, isRetriable: error.isRetriable, failedNodes: failedNodes)
    }
}
