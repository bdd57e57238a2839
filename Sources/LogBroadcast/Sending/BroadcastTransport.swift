/// A way for records to leave.
protocol BroadcastTransport: Sendable {
    /// Hands bodies over, in order, and returns when they are out of this process's hands.
    ///
    /// While nobody can be reached it waits and tries again; it ends early only when it is closed.
    ///
    /// - Parameter bodies: Records as JSON.
    /// - Returns: How many of them, from the first, are out of this process's hands.
    func send(_ bodies: [[UInt8]]) async -> Int

    /// Gives up what is under way, and disconnects.
    func close() async
}
