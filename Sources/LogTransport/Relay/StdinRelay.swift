/// Hands the lines of standard input on over ZeroMQ.
///
/// A server in three lines: it binds, relays until the input ends or SIGTERM or SIGINT comes, hands on what is still
/// there, and closes.
///
/// ```swift
/// import LogTransport
///
/// try StdinRelay(binding: "tcp://127.0.0.1:5000").run()
/// ```
public struct StdinRelay: Sendable {
    private let makeOutlet: OutletFactory
    private let options: RelayOptions

    /// Makes a relay that hands lines on to what `makeOutlet` makes.
    ///
    /// - Parameters:
    ///   - options: How lines are treated.
    ///   - input: The descriptor to read from.
    ///   - output: The descriptor on which confirmations are said.
    ///   - makeOutlet: Makes the outlet, in the thread that runs the relay.
    package init(
        options: RelayOptions = RelayOptions(), input: Int32 = 0, output: Int32 = 1,
        makeOutlet: @escaping OutletFactory
    ) {
        self.options = options
        self.makeOutlet = makeOutlet
    }

    /// What the relay has done so far; from any thread, at any time.
    public var report: RelayReport { RelayReport() }

    /// Relays until the input ends, or SIGTERM or SIGINT comes.
    ///
    /// A second signal ends it at once. It blocks: do not call it from a task. The signals do again what they did before when it returns.
    ///
    /// - Returns: What was done; ``RelayReport/waiting`` lines are lost.
    /// - Throws: ``LogTransportError``.
    @discardableResult
    public func run() throws(LogTransportError) -> RelayReport {
        try run(under: RelayControl())
    }

    /// Relays until the input ends or `control` says so; signals are the caller's.
    ///
    /// It blocks: do not call it from a task.
    ///
    /// - Parameter control: How the relay is asked to end.
    /// - Returns: What was done; ``RelayReport/waiting`` lines are lost.
    /// - Throws: ``LogTransportError``.
    public func run(under control: RelayControl) throws(LogTransportError) -> RelayReport {
        throw LogTransportError(.unavailable, "the relay's loop is not here yet")
    }
}
