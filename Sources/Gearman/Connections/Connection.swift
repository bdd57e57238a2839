import DedicatedThread
import Glibc
import Logging
import Synchronization

/// One connection of a worker to a job server, with a thread of its own: opens it, serves jobs, opens it again.
final class Connection: Sendable {
    private let number: ConnectionBook.Number
    private let pool: ConnectionPool
    /// Ends waits for the job server, and attempts to reach it.
    private let waits = Interrupter()
    /// Ends the sending of an answer.
    private let answers = Interrupter()
    private let handlerTask = Mutex<HandlerTask>(.none)

    private enum HandlerTask {
        case none
        case running(Task<Void, Never>)
        case cancelled
    }

    /// Why ``serve(_:)`` came back.
    private enum End {
        case stopped
        case surplus
        case lost(GearmanError)
    }

    init(number: ConnectionBook.Number, pool: ConnectionPool) {
        self.number = number
        self.pool = pool
    }

    /// Takes no more jobs; ends at once unless a job is in hand.
    func stop() { waits.interrupt() }

    /// Cancels the handler's task, and sends its answer only if that needs no waiting.
    func cancel() {
        stop()
        answers.interrupt()
        handlerTask.withLock { task in
            if case .running(let running) = task { running.cancel() }
            task = .cancelled
        }
    }

    /// What the connection's thread does; returns when the connection is not wanted any more.
    func main() {
        while case .attempt = permission() {
            guard run() else { return }
        }
    }

    private func permission() -> ConnectionBook.Permission {
        pool.book.wait { [number] book in
            switch book.permission(for: number, now: .now) {
            case .wait(let deadline): .wait(until: deadline)
            case let permission: .value(permission)
            }
        }
    }

    /// Opens the connection once and serves jobs on it; returns whether to open another.
    private func run() -> Bool {
        let receiver = JobReceiver(server: pool.server, answers: answers) { [self] job in serve(job) }
        do throws(GearmanError) {
            let handle = try open(receiver)
            let opened = ContinuousClock.now
            pool.opened(number)
            switch serve(handle, receiver) {
            case .stopped, .surplus:
                return false
            case .lost(let error):
                pool.lost(number, error, lived: opened.duration(to: .now))
                return true
            }
        } catch {
            guard !waits.isInterrupted else { return false }
            pool.attemptFailed(number, error)
            return true
        }
    }

    /// Connects to the first address of the job server that answers.
    private func open(_ receiver: JobReceiver) throws(GearmanError) -> WorkerHandle {
        let deadline = ContinuousClock.now + pool.options.connectTimeout
        let addresses = try Resolver.addresses(of: pool.server, before: deadline, interrupter: waits)
        var failure = GearmanError(.notConnected, "there was no time left to connect to job server \(pool.server)")
        for (index, address) in addresses.enumerated() {
            let share = ContinuousClock.now.duration(to: deadline) / (addresses.count - index)
            guard share > .zero else { break }
            let handle = try WorkerHandle(
                function: pool.function, identifier: pool.options.identifier, server: pool.server, host: address.host,
                transport: pool.transport, receiver: receiver)
            let error = check(handle, at: address, timeout: share)
            guard let error else { return handle }
            failure = error
            if error.code == .cancelled { break }
        }
        throw failure
    }

    /// Connects, and makes sure that the other end is a job server that answers.
    private func check(
        _ handle: borrowing WorkerHandle, at address: SocketAddress, timeout: Duration
    ) -> GearmanError? {
        let echoed = waits.whileWaiting(interruptedBy: handle.interruption) { handle.echo(timeout: timeout) }
        let isConnected = SocketTuning.apply(pool.options.keepalive, toConnectionsWith: address)
        guard let error = echoed ?? GearmanError(.cancelled, "the worker stops") else { return nil }
        return error.asFailureToConnect(to: pool.server, isConnected: isConnected)
    }

    private func serve(_ handle: borrowing WorkerHandle, _ receiver: JobReceiver) -> End {
        while !waits.isInterrupted {
            var end: End?
            switch handle.work() {
            case .served:
                end = confirm(receiver.lastJob, handle)
            case .answerLost(let error):
                if let job = receiver.lastJob { pool.answerLost(job) }
                end = .lost(error)
            case .ended(let error):
                end = .lost(error)
            case .expecting:
                end = wait(for: handle)
            case .idle:
                pool.becameIdle(number)
                end = waitForJob(handle)
            }
            if let end { return end }
        }
        return .stopped
    }

    /// Makes sure that the answer to a job is with the job server, and not merely on its way.
    ///
    /// A stop does not end this wait, for the answer of a worker that stops is to be told as delivered as well.
    private func confirm(_ job: Job?, _ handle: borrowing WorkerHandle) -> End? {
        guard let job else { return nil }
        if let error = handle.echo(timeout: pool.options.connectTimeout) {
            pool.answerLost(job)
            return .lost(error)
        }
        pool.answerDelivered(job)
        return nil
    }

    /// Waits for what the job server owes.
    private func wait(for handle: borrowing WorkerHandle) -> End? {
        let patience = pool.options.connectTimeout
        switch waits.whileWaiting(interruptedBy: handle.interruption, { handle.wait(for: patience) }) {
        case .ready?: return nil
        case .ended(let error)?: return .lost(error)
        case .timedOut?: return .lost(GearmanError(.timedOut, "job server \(pool.server) stopped answering"))
        case .interrupted?, nil: return .stopped
        }
    }

    /// Waits until the job server says that it has a job, however long that takes.
    private func waitForJob(_ handle: borrowing WorkerHandle) -> End? {
        let patience = pool.lifetime(of: number)
        while true {
            switch waits.whileWaiting(interruptedBy: handle.interruption, { handle.wait(for: patience) }) {
            case .ready?: return nil
            case .ended(let error)?: return .lost(error)
            case .timedOut?: if pool.endIfSurplus(number) { return .surplus }
            case .interrupted?, nil: return .stopped
            }
        }
    }

    /// Has the handler do a job, and waits for it on the connection's own thread.
    private func serve(_ job: Job) -> JobResult {
        pool.becameBusy(number)
        let result = ThreadMonitor<JobResult?>(nil)
        let handler = pool.handler
        let task = Task {
            let answer = await handler(job)
            result.update { $0 = answer }
        }
        let isCancelled = handlerTask.withLock { current in
            if case .cancelled = current { return true }
            current = .running(task)
            return false
        }
        if isCancelled { task.cancel() }
        defer {
            handlerTask.withLock { current in
                if case .running = current { current = .none }
            }
        }
        return result.wait { result in result.map { .value($0) } ?? .wait(until: nil) }
    }
}
