internal import DedicatedThread
internal import Synchronization

/// Hands messages of a program's own on over ZeroMQ, as ``StdinRelay`` does with lines.
///
/// ```swift
/// let caster = try await Caster(binding: "tcp://127.0.0.1:5000")
/// try await caster.cast("started")
/// let report = try await caster.close()
/// ```
///
/// Close it: one that is only let go of still hands on what it took, but nobody waits for that.
public final class Caster: Sendable {
    private let inbox: Inbox
    private let control: RelayControl
    private let meter = RelayMeter()
    private let linger: Duration
    private let thread = DedicatedThread(name: "caster")
    private let left = Mutex<Result<UInt64, LogTransportError>>(.success(0))

    /// Makes a caster that pushes each message to one of the PULL sockets that connect, at most once.
    ///
    /// - Parameters:
    ///   - endpoint: Where they connect to, for example `tcp://127.0.0.1:5000`.
    ///   - options: How messages are treated; those about the input are not used.
    /// - Throws: ``LogTransportError``: `invalidArgument` when that is no endpoint, `unavailable` when it cannot be bound.
    public convenience init(
        binding endpoint: String, options: RelayOptions = RelayOptions()
    ) async throws(LogTransportError) {
        try await self.init(pushing: try PushOptions(binding: endpoint), options: options)
    }

    /// Makes a caster that pushes messages.
    ///
    /// - Parameters:
    ///   - push: Where to, and how.
    ///   - options: How messages are treated; those about the input are not used.
    /// - Throws: ``LogTransportError``: `unavailable` when an endpoint cannot be bound.
    public convenience init(
        pushing push: PushOptions, options: RelayOptions = RelayOptions()
    ) async throws(LogTransportError) {
        try await self.init(options: options) { () throws(LogTransportError) in try PushOutlet(push) }
    }

    /// Makes a caster that hands messages on to what `makeOutlet` makes.
    ///
    /// - Parameters:
    ///   - options: How messages are treated; those about the input are not used.
    ///   - form: What messages become on the way; their notes, that is.
    ///   - makeOutlet: Makes the outlet, in the caster's thread.
    /// - Throws: ``LogTransportError``, what `makeOutlet` threw.
    package init(
        options: RelayOptions = RelayOptions(), form: LineForm = LineForm(), makeOutlet: @escaping OutletFactory
    ) async throws(LogTransportError) {
        try options.check(hasSpool: false)
        let inbox = try Inbox(maximumMessage: options.maximumLine)
        let control = try RelayControl()
        self.inbox = inbox
        self.control = control
        linger = options.linger
        let start = FirstAnswer<LogTransportError?>()
        let meter = meter
        thread.start { [weak self] in
            do throws(LogTransportError) {
                let outlet = options.outlet(around: try makeOutlet(), form: form)
                start.offer(nil)
                var loop = RelayLoop(
                    from: InboxSource(inbox), to: outlet, under: control, linger: options.linger, meter: meter)
                let count = try loop.run()
                self?.left.withLock { $0 = .success(count) }
            } catch {
                if !start.offer(error) { self?.left.withLock { $0 = .failure(error) } }
                inbox.close()
            }
        }
        if let error = await start.value() { throw error }
    }

    deinit { inbox.close() }

    /// Takes a message for handing on.
    ///
    /// It waits while there is no room, unless ``RelayOptions/whenFull`` says to drop.
    ///
    /// - Parameter message: Any text, at most ``RelayOptions/maximumLine`` bytes of UTF-8.
    /// - Throws: ``LogTransportError``: `invalidArgument` for a longer one, `closed`.
    public func cast(_ message: String) async throws(LogTransportError) {
        try await cast(Array(message.utf8))
    }

    /// Takes a message for handing on.
    ///
    /// It waits while there is no room, unless ``RelayOptions/whenFull`` says to drop.
    ///
    /// - Parameter message: Any bytes, at most ``RelayOptions/maximumLine``.
    /// - Throws: ``LogTransportError``: `invalidArgument` for more, `closed`.
    public func cast(_ message: [UInt8]) async throws(LogTransportError) {
        try await inbox.append(message)
    }

    /// What the caster has done so far.
    public var report: RelayReport {
        var report = meter.report
        let accounted = report.linesOut + report.dropped
        report.waiting = report.linesIn - min(report.linesIn, accounted)
        return report
    }

    /// Hands on what was cast, within the linger, and closes; a second call only waits for that.
    ///
    /// - Returns: What was done; ``RelayReport/waiting`` messages are lost.
    /// - Throws: ``LogTransportError``, what went wrong with handing messages on.
    @discardableResult
    public func close() async throws(LogTransportError) -> RelayReport {
        inbox.close()
        await thread.run {}
        let left = try left.withLock { $0 }.get()
        var report = report
        report.waiting = left
        return report
    }
}
