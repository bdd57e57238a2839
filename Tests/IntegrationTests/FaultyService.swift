import HAProxy
import Synchronization
import SystemPackage
import TestServers

/// Where a change can be interrupted: before and after each call that changes something.
struct Interruption: Equatable, CustomStringConvertible {
    /// The calls of ``ServiceControl`` that change something.
    enum Call: CaseIterable {
        case stage, check, backUp, installStaged, start, stop, reload, restore, removeConfiguration, discardStaged
    }

    let call: Call
    let isAfter: Bool
    var description: String { "\(isAfter ? "after" : "before") \(call)" }
}

/// What a ``FaultyService`` does, and what has become of it.
final class FaultScript: Sendable {
    /// A fault.
    enum Fault {
        /// None.
        case none
        /// These calls throw instead of doing their work.
        case fail([Interruption.Call])
        /// HAProxy refuses every file that has this text in it, when it is asked to check one.
        case refuse(String)
        /// This call does its work, says it failed, and the worker is gone at this interruption of those that come.
        case failThenVanish(Interruption.Call, at: Int)
        /// The call waits until ``goOn()``.
        case wait(before: Interruption.Call)
        /// At this interruption of those that come, counted from 1, the worker is gone: nothing happens any more.
        ///
        /// A check behind the replies, which comes when it is due, is none of them.
        case vanish(at: Int)

        fileprivate var countsSteps: Bool {
            switch self {
            case .vanish, .failThenVanish: true
            case .none, .fail, .refuse, .wait: false
            }
        }
    }

    private struct State {
        var fault: Fault
        var interruptions: [Interruption] = []
        var isReached = false
        var isReleased = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ fault: Fault = .none) { state = Mutex(State(fault: fault)) }

    /// Changes the fault; interruptions are counted anew.
    func become(_ fault: Fault) { state.withLock { $0 = State(fault: fault) } }

    /// The interruptions that came since the fault was set.
    var interruptions: [Interruption] { state.withLock { $0.interruptions } }

    /// Says that the change is over: a fault that has not begun by then never will.
    func finish() { state.withLock { $0.isReached = true } }

    /// Whether the fault has begun, or the change is over.
    var isReached: Bool { state.withLock { $0.isReached } }

    /// Returns when the fault has begun, or the change is over.
    func reached() async throws { try await eventually(within: .seconds(60), "the fault") { isReached } }

    /// Lets a call that waits go on, and those that come later.
    func goOn() {
        let waiting = state.withLock { state in
            state.isReleased = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Whether HAProxy is to refuse a file.
    func refuses(_ text: String) -> Bool {
        guard case .refuse(let part) = state.withLock({ $0.fault }), text.contains(part) else { return false }
        state.withLock { $0.isReached = true }
        return true
    }

    /// Comes to an interruption, in a change or behind the replies.
    func pass(_ interruption: Interruption, isBehindReply: Bool = false) async throws(HAProxyError) {
        let (fault, count) = state.withLock { state in
            if !isBehindReply || !state.fault.countsSteps { state.interruptions.append(interruption) }
            return (state.fault, state.interruptions.count)
        }
        if isBehindReply, fault.countsSteps {
            if isReached { await vanish() }
            return
        }
        switch fault {
        case .none, .refuse: return
        case .fail(let calls):
            guard calls.contains(interruption.call), !interruption.isAfter else { return }
            throw HAProxyError(.inputOutput, "\(interruption.call) fails as it was told to")
        case .wait(let call):
            guard interruption == Interruption(call: call, isAfter: false) else { return }
            await withCheckedContinuation { continuation in
                let isReleased = state.withLock { state in
                    state.isReached = true
                    if !state.isReleased { state.waiting.append(continuation) }
                    return state.isReleased
                }
                if isReleased { continuation.resume() }
            }
        case .vanish(let number):
            if count >= number { await vanish() }
        case .failThenVanish(let call, let number):
            if count >= number { await vanish() }
            guard interruption == Interruption(call: call, isAfter: true) else { return }
            throw HAProxyError(.inputOutput, "\(call) fails as it was told to")
        }
    }

    private func vanish() async {
        state.withLock { $0.isReached = true }
        // Nobody ever resumes it, as nobody does in a process that was killed.
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
}

/// A service control with a fault in it.
struct FaultyService: ServiceControl {
    private let base: any ServiceControl
    private let script: FaultScript

    init(_ base: any ServiceControl, _ script: FaultScript) {
        self.base = base
        self.script = script
    }

    var configurationFile: FilePath { base.configurationFile }
    var backupFile: FilePath { base.backupFile }
    var stagedFile: FilePath { base.stagedFile }

    func version() async throws(HAProxyError) -> Version { try await base.version() }
    func isRunning() async throws(HAProxyError) -> Bool { try await base.isRunning() }
    func readConfiguration() async throws(HAProxyError) -> [UInt8]? { try await base.readConfiguration() }
    func readBackup() async throws(HAProxyError) -> [UInt8]? { try await base.readBackup() }

    func check(configurationAt file: FilePath) async throws(HAProxyError) {
        // That of a change looks at what it has staged.
        try await run(.check, isBehindReply: file != stagedFile) { base throws(HAProxyError) in
            if script.refuses(readText(file.string)) {
                throw HAProxyError(.invalidConfiguration, "HAProxy refuses the configuration: as it was told to")
            }
            try await base.check(configurationAt: file)
        }
    }
    func stage(_ configuration: String) async throws(HAProxyError) -> FilePath {
        try await run(.stage) { base throws(HAProxyError) in try await base.stage(configuration) }
    }
    func installStaged() async throws(HAProxyError) {
        try await run(.installStaged) { base throws(HAProxyError) in try await base.installStaged() }
    }
    func discardStaged() async throws(HAProxyError) {
        try await run(.discardStaged) { base throws(HAProxyError) in try await base.discardStaged() }
    }
    func backUp() async throws(HAProxyError) {
        try await run(.backUp) { base throws(HAProxyError) in try await base.backUp() }
    }
    func restore() async throws(HAProxyError) {
        try await run(.restore) { base throws(HAProxyError) in try await base.restore() }
    }
    func removeConfiguration() async throws(HAProxyError) {
        try await run(.removeConfiguration) { base throws(HAProxyError) in try await base.removeConfiguration() }
    }
    func start() async throws(HAProxyError) {
        try await run(.start) { base throws(HAProxyError) in try await base.start() }
    }
    func stop() async throws(HAProxyError) {
        try await run(.stop) { base throws(HAProxyError) in try await base.stop() }
    }
    func reload() async throws(HAProxyError) {
        try await run(.reload) { base throws(HAProxyError) in try await base.reload() }
    }

    private func run<Value: Sendable>(
        _ call: Interruption.Call, isBehindReply: Bool = false,
        _ body: (any ServiceControl) async throws(HAProxyError) -> Value
    ) async throws(HAProxyError) -> Value {
        try await script.pass(Interruption(call: call, isAfter: false), isBehindReply: isBehindReply)
        let value = try await body(base)
        try await script.pass(Interruption(call: call, isAfter: true), isBehindReply: isBehindReply)
        return value
    }
}
