/// A way for records to leave an ``Outbox``.
protocol BroadcastTransport: Sendable {
    /// Where the records to be sent are.
    var outbox: Outbox { get }

    /// Hears that there is something to send; must not block.
    func wake()

    /// Waits until somebody is there to take records.
    func waitUntilReady(within limit: Duration) async throws(LogBroadcastError)

    /// Hears that the program ends: there is no time for pauses any more.
    func hurry()

    /// Disconnects. What is not confirmed is given up.
    ///
    /// - Parameter limit: How long what was handed over already may take to leave.
    /// - Returns: How many records at most, the last of those that were done with, did not leave in that time.
    func close(within limit: Duration) async -> Int
}
