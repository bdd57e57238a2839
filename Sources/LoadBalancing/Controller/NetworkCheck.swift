internal import DedicatedThread

/// Finds out whether this host reaches the network, by connecting to a host that is known to be there.
///
/// Looking up a name can block for longer than the deadline. That happens on a thread of the check's own, and a check
/// whose deadline has passed has failed, whatever that thread still waits for.
public final class NetworkCheck: Sendable {
    private let host: String
    private let port: Port
    private let deadline: Duration
    private let thread = DedicatedThread(name: "network-check")

    /// Creates a check.
    ///
    /// - Parameters:
    ///   - host: The name or address to connect to.
    ///   - port: The port to connect to.
    ///   - deadline: How long looking up and connecting may take together.
    public init(host: String, port: Port, deadline: Duration = .seconds(5)) {
        self.host = host
        self.port = port
        self.deadline = deadline
    }

    /// Connects once.
    ///
    /// - Returns: Whether a connection was made before the deadline.
    public func callAsFunction() async -> Bool {
        let end = ContinuousClock.now + deadline
        let answer = FirstAnswer<Bool>()
        let alarm = Task {
            try? await Task.sleep(until: end, clock: .continuous)
            answer.offer(false)
        }
        Task { [host, port, thread] in answer.offer(await thread.run { connect(to: host, port, before: end) }) }
        defer { alarm.cancel() }
        return await answer.value()
    }
}
