/// What makes a host balance load: the one thing that differs between HAProxy and whatever may stand beside it.
///
/// Changes (``update(_:)``, ``suspend()``, ``enable()``, ``delete()``) are called one at a time; the rest may be called at
/// any time, also while a change is under way, and must not wait for it.
public protocol Driver: Sendable {
    /// Makes exactly these balancers the state of the host, all or nothing.
    ///
    /// - Parameter balancers: At least one; identifiers, unnamed protocols, and addresses with ports do not clash.
    /// - Returns: What was done.
    /// - Throws: ``DriverError``, after which the host serves what it served before.
    @discardableResult
    func update(_ balancers: [LoadBalancer]) async throws(DriverError) -> ChangeSummary

    /// Stops all traffic; connections are refused. Suspending twice is the same as once.
    @discardableResult
    func suspend() async throws(DriverError) -> ChangeSummary

    /// Lets traffic through again. Enabling twice is the same as once.
    @discardableResult
    func enable() async throws(DriverError) -> ChangeSummary

    /// Ends balancing on this host and removes what was kept for it. Deleting twice is the same as once.
    @discardableResult
    func delete() async throws(DriverError) -> ChangeSummary

    /// Tells what ``update(_:)`` with these balancers would do at this moment, and changes nothing.
    ///
    /// - Throws: ``DriverError`` where an update would throw one that can be known beforehand.
    func plan(_ balancers: [LoadBalancer]) async throws(DriverError) -> ChangePlan

    /// Reads how the nodes are.
    ///
    /// - Returns: Every balancer and every node, in the order of the last update; with all nodes down while suspended.
    func statistics() async throws(DriverError) -> [BalancerStatistics]

    /// Reports what passed through the balancers since the last report that was delivered.
    ///
    /// The report is kept, with the job, before it is returned: the same job gets the same report when it is delivered
    /// again, until ``settleTraffic(of:wasDelivered:)`` says that its answer arrived.
    ///
    /// - Parameter delivery: The job that asks; nil when there is none that could come again, and the report counts as
    ///   delivered.
    /// - Returns: A row for each balancer, in the order of the last update, and for those that are gone what is left.
    /// - Throws: ``DriverError``, after which nothing counts as reported.
    func traffic(for delivery: JobDelivery?) async throws(DriverError) -> TrafficReport

    /// Says what became of the answer to a job that ``traffic(for:)`` may have had a report for; other jobs are ignored.
    ///
    /// - Parameters:
    ///   - delivery: The job, as it was given to ``traffic(for:)``.
    ///   - wasDelivered: Whether the answer arrived; if not, what it reported is in the next report.
    func settleTraffic(of delivery: JobDelivery, wasDelivered: Bool) async

    /// Reads which version of the balancing software is installed.
    func version() async throws(DriverError) -> DriverVersion

    /// Returns when the balancing software runs and answers.
    func ping() async throws(DriverError)

    /// Looks at everything that the driver needs from the host.
    func checks() async -> [DiagnosticCheck]
}
