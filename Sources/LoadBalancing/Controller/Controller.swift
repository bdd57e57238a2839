import CivilTime
import JSON
public import Logging

/// Answers messages: reads what a client wants, has the driver do it, and says what became of it.
///
/// It may be called from any number of tasks at once. Changes go through one gate, one at a time, in the order in which
/// they arrive there; reads pass it by.
public final class Controller: Sendable {
    private let driver: any Driver
    private let networkCheck: @Sendable () async -> Bool
    private let jobServers: @Sendable () async -> [JobServerReport]
    private let onChange: @Sendable (ChangeReport) -> Void
    private let logger: Logger
    private let gate = Gate()

    /// Creates a controller.
    ///
    /// - Parameters:
    ///   - driver: What carries out the changes.
    ///   - networkCheck: Whether this host reaches the network; see ``NetworkCheck``.
    ///   - jobServers: The job servers and their state at this moment.
    ///   - onChange: Hears of every request to change something, just before it is answered; it has to return at once.
    ///   - logger: Gets a line a message at info level, and the messages, secrets masked, at debug level.
    public init(
        driver: any Driver,
        networkCheck: @escaping @Sendable () async -> Bool,
        jobServers: @escaping @Sendable () async -> [JobServerReport],
        onChange: @escaping @Sendable (ChangeReport) -> Void = { _ in },
        logger: Logger
    ) {
        self.driver = driver
        self.networkCheck = networkCheck
        self.jobServers = jobServers
        self.onChange = onChange
        self.logger = logger
    }

    /// Answers one message.
    ///
    /// - Parameters:
    ///   - workload: A JSON object of at most 4 MiB; anything else is answered too, with a FAIL that says why.
    ///   - delivery: The job that brought it, for METRICS: ``settle(_:wasDelivered:)`` is to be called for it afterwards.
    /// - Returns: A JSON object: the message, with what became of it added.
    public func reply(to workload: [UInt8], delivery: JobDelivery? = nil) async -> [UInt8] {
        let start = ContinuousClock.now
        let (action, reply) = await answer(workload, delivery)
        let duration = start.duration(to: .now)
        log(reply, to: action, after: duration)
        if let action, action.isChange {
            onChange(
                ChangeReport(
                    action: action, balancers: reply.summary?.balancers ?? reply.balancers, error: reply.error,
                    summary: reply.summary, duration: duration, job: delivery?.job))
        }
        return JSONValue.object(reply.object).bytes()
    }

    /// Says what became of the answer to a job; to be called for every job that ``reply(to:delivery:)`` was told of.
    ///
    /// - Parameters:
    ///   - delivery: The job.
    ///   - wasDelivered: Whether the job server has the answer for sure.
    public func settle(_ delivery: JobDelivery, wasDelivered: Bool) async {
        await driver.settleTraffic(of: delivery, wasDelivered: wasDelivered)
    }

    private func answer(_ workload: [UInt8], _ delivery: JobDelivery?) async -> (Action?, Reply) {
        let message: JSONObject
        do throws(MessageError) {
            message = try MessageReader.read(workload)
        } catch {
            // What cannot be read cannot be masked either, so that it is not logged.
            logger.debug("received what is no message", metadata: [LogKey.bytes: "\(workload.count)"])
            var reply = Reply(to: JSONObject())
            reply.fail(error)
            return (nil, reply)
        }
        logger.debug("received", metadata: [LogKey.message: "\(JSONValue.object(message).masked)"])
        var reply = Reply(to: message)
        do throws(MessageError) {
            let action = try Action(of: message)
            await perform(action, with: message, delivery, into: &reply)
            return (action, reply)
        } catch {
            reply.fail(error)
            return (nil, reply)
        }
    }

    private func perform(
        _ action: Action, with message: JSONObject, _ delivery: JobDelivery?, into reply: inout Reply
    ) async {
        do throws(DriverError) {
            switch action {
            case .update, .create:
                await update(with: message, of: action, into: &reply)
            case .suspend:
                reply.summary = try await change { driver throws(DriverError) in try await driver.suspend() }
            case .enable:
                reply.summary = try await change { driver throws(DriverError) in try await driver.enable() }
            case .delete:
                reply.summary = try await change { driver throws(DriverError) in try await driver.delete() }
            case .discover:
                try await discover(into: &reply)
            case .stats:
                reply[Field.nodes] = nil
                reply[Field.nodes] = JSONValue(statistics: try await driver.statistics())
            case .ping:
                try await driver.ping()
            case .diagnostics:
                await diagnose(into: &reply)
            case .plan:
                try await plan(with: message, into: &reply)
            case .metrics:
                try await report(for: delivery, into: &reply)
            case .archive:
                reply.fail("\(action.rawValue) is not available in this version of the worker")
            }
        } catch {
            reply.fail(error, of: action)
        }
    }
}

// MARK: - Changes

extension Controller {
    private func update(with message: JSONObject, of action: Action, into reply: inout Reply) async {
        let balancers: [LoadBalancer]
        do throws(MessageError) {
            balancers = try LoadBalancer.list(from: message)
        } catch {
            reply.fail(error)
            reply.disableNodes(for: error)
            return
        }
        reply.balancers = balancers.map(\.key)
        do throws(DriverError) {
            let summary = try await change { driver throws(DriverError) in try await driver.update(balancers) }
            reply.summary = summary
            reply.addConditions(of: balancers, except: summary.otherConditions)
        } catch {
            reply.fail(error, of: action)
            reply.disableNodes(for: error, of: balancers)
        }
    }

    /// Makes one change when those that came before are done.
    private func change<Value>(
        _ body: (any Driver) async throws(DriverError) -> Value
    ) async throws(DriverError) -> Value {
        let result: Result<Value, DriverError> = await gate.pass {
            do throws(DriverError) {
                return .success(try await body(driver))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

// MARK: - Reads

extension Controller {
    private func discover(into reply: inout Reply) async throws(DriverError) {
        reply["version"] = nil
        reply["release"] = nil
        let version = try await driver.version()
        reply["version"] = .string(version.version)
        reply["release"] = .string(version.release)
    }

    private func plan(with message: JSONObject, into reply: inout Reply) async throws(DriverError) {
        reply[Field.plan] = nil
        let balancers: [LoadBalancer]
        do throws(MessageError) {
            balancers = try LoadBalancer.list(from: message)
        } catch {
            return reply.fail(error)
        }
        reply[Field.plan] = JSONValue(plan: try await driver.plan(balancers))
    }

    private func report(for delivery: JobDelivery?, into reply: inout Reply) async throws(DriverError) {
        for field in [Field.utcStart, Field.utcEnd, Field.loadBalancers] { reply[field] = nil }
        let report = try await driver.traffic(for: delivery)
        reply[Field.utcStart] = .string(report.start.spaced)
        reply[Field.utcEnd] = .string(report.end.spaced)
        reply[Field.loadBalancers] = JSONValue(traffic: report.rows)
    }

    private func diagnose(into reply: inout Reply) async {
        async let network = networkCheck()
        async let servers = jobServers()
        async let checks = driver.checks()
        reply["network"] = JSONValue(passed: await network)
        reply["gearman"] = JSONValue(jobServers: await servers)
        reply["checks"] = JSONValue(checks: await checks)
    }
}

// MARK: - Log

extension Controller {
    private func log(_ reply: Reply, to action: Action?, after duration: Duration) {
        var metadata: Logger.Metadata = [
            LogKey.action: "\(action?.rawValue ?? "none")",
            LogKey.response: "\(reply.response.rawValue)",
            LogKey.milliseconds: "\(duration / .milliseconds(1))",
        ]
        if let error = reply.error { metadata[LogKey.error] = "\(error)" }
        logger.info("answered", metadata: metadata)
        logger.debug("sent", metadata: [LogKey.message: "\(JSONValue.object(reply.object))"])
    }
}
