internal import DedicatedThread
internal import Glibc
package import Spool
internal import ZeroMQ

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
public final class StdinRelay: Sendable {
    private let options: RelayOptions
    private let form: LineForm
    private let spool: Spool?
    private let input: Int32
    private let output: Int32
    private let makeOutlet: OutletFactory
    private let inputMeter = RelayMeter()
    private let outputMeter = RelayMeter()

    /// Makes a relay of standard input that pushes each line to one of the PULL sockets that connect, at most once.
    ///
    /// - Parameters:
    ///   - endpoint: Where they connect to, for example `tcp://127.0.0.1:5000`. It is bound when the relay runs.
    ///   - options: How lines are treated.
    /// - Throws: ``LogTransportError`` with code `invalidArgument` when that is no endpoint.
    public convenience init(
        binding endpoint: String, options: RelayOptions = RelayOptions()
    ) throws(LogTransportError) {
        self.init(pushing: try PushOptions(binding: endpoint), options: options)
    }

    /// Makes a relay of standard input that pushes lines.
    ///
    /// - Parameters:
    ///   - push: Where to, and how.
    ///   - options: How lines are treated.
    public convenience init(pushing push: PushOptions, options: RelayOptions = RelayOptions()) {
        let form = LineForm(keepsNewline: options.keepsNewline)
        self.init(options: options, form: form) { () throws(LogTransportError) in try PushOutlet(push, form: form) }
    }

    /// Makes a relay that hands lines on to what `makeOutlet` makes.
    ///
    /// - Parameters:
    ///   - options: How lines are treated.
    ///   - form: What lines become on the way.
    ///   - spool: Where lines wait on disk; nil to keep them in memory only. The caller closes it afterwards. Lines that
    ///     are too long for it are cut.
    ///   - input: The descriptor to read from.
    ///   - output: The descriptor on which confirmations are said.
    ///   - makeOutlet: Makes the outlet, in the thread that runs the relay.
    package init(
        options: RelayOptions = RelayOptions(), form: LineForm = LineForm(), spool: Spool? = nil, input: Int32 = 0,
        output: Int32 = 1, makeOutlet: @escaping OutletFactory
    ) {
        // Before the relay opens anything: it would get the number of an input that is closed.
        StandardDescriptors.occupy()
        self.options = options
        self.form = form
        self.spool = spool
        self.input = input
        self.output = output
        self.makeOutlet = makeOutlet
    }

    /// What the relay has done so far; from any thread, at any time.
    public var report: RelayReport {
        var report = outputMeter.report
        guard let spool else {
            let accounted = report.linesOut + report.dropped
            report.waiting = report.linesIn - min(report.linesIn, accounted)
            return report
        }
        let input = inputMeter.report
        report.linesIn = input.linesIn
        report.bytesIn = input.bytesIn
        report.linesCut = input.linesCut
        report.droppedNewest = input.droppedNewest
        report.spooled = spool.counts.waitingRecords
        return report
    }

    /// Relays until the input ends, or SIGTERM or SIGINT comes.
    ///
    /// A second signal ends it at once. It blocks: do not call it from a task. The signals do again what they did before
    /// when it returns.
    ///
    /// - Returns: What was done; ``RelayReport/waiting`` lines are lost.
    /// - Throws: ``LogTransportError``.
    @discardableResult
    public func run() throws(LogTransportError) -> RelayReport {
        let control = try RelayControl()
        let trap = try SignalTrap([SIGTERM, SIGINT]) { _ in control.stop() }
        defer { trap.release() }
        return try run(under: control)
    }

    /// Relays until the input ends or `control` says so; signals are the caller's.
    ///
    /// It blocks: do not call it from a task.
    ///
    /// - Parameter control: How the relay is asked to end.
    /// - Returns: What was done; ``RelayReport/waiting`` lines are lost.
    /// - Throws: ``LogTransportError``.
    public func run(under control: RelayControl) throws(LogTransportError) -> RelayReport {
        try options.check(hasSpool: spool != nil)
        guard !options.confirms || StandardDescriptors.isWritable(output) else {
            throw LogTransportError(
                .systemError, "cannot confirm lines on standard output: it is closed, or open for reading only")
        }
        let left: UInt64
        if let spool {
            left = try relay(through: spool, under: control)
        } else {
            left = try relayDirectly(under: control)
        }
        var report = report
        report.waiting = left
        return report
    }

    /// One thread, from the input to the outlet.
    private func relayDirectly(under control: RelayControl) throws(LogTransportError) -> UInt64 {
        let outlet = options.outlet(around: try makeOutlet(), form: form)
        let source = try makeSource(under: control)
        var loop = RelayLoop(from: source, to: outlet, under: control, linger: options.linger, meter: outputMeter)
        return try loop.run()
    }

    /// One thread from the input to the spool, and this one from the spool to the outlet.
    private func relay(through spool: Spool, under control: RelayControl) throws(LogTransportError) -> UInt64 {
        let outlet = try makeOutlet()
        let filling = try Filling(control: try control.follower())
        let emptying = try control.follower()
        DedicatedThread(name: "input").start { [self] in
            filling.run { control throws(LogTransportError) in
                let source = try makeSource(under: control)
                let outlet = SpoolOutlet(spool, commits: options.confirms, form: form)
                var loop = RelayLoop(
                    from: source, to: outlet, under: control, linger: options.linger, meter: inputMeter)
                return try loop.run()
            }
        }
        defer { filling.end() }
        let source = SpoolSource(spool, until: filling.hasEnded, form: form)
        var loop = RelayLoop(from: source, to: outlet, under: emptying, linger: options.linger, meter: outputMeter)
        _ = try loop.run()
        return try filling.end().get()
    }

    private func makeSource(under control: RelayControl) throws(LogTransportError) -> StdinSource {
        let confirmations = options.confirms ? Confirmations(on: output, under: control, linger: options.linger) : nil
        let longest = spool.map { form.longestLine(in: $0.options.maximumRecord) } ?? .max
        var source = try StdinSource(
            descriptor: input, maximumLine: min(options.maximumLine, longest), form: form,
            confirmations: confirmations)
        try source.begin()
        return source
    }
}

extension PushOptions {
    /// Pushes to sockets that connect to `endpoint`.
    init(binding endpoint: String) throws(LogTransportError) {
        do throws(ZeroMQError) {
            self.init(bind: [try Endpoint(endpoint)])
        } catch {
            throw LogTransportError(opening: error)
        }
    }
}
