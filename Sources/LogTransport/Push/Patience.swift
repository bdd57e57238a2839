import ZeroMQ

/// How long to wait for something at the end.
struct Patience {
    /// When to give up.
    let deadline: ContinuousClock.Instant
    /// A descriptor that becomes readable when there is no more time at all.
    let end: Int32

    /// Waits until one of `waits` is ready, or it is time to look.
    ///
    /// - Returns: Whether there is time left for more.
    func wait(
        for waits: [Wait], orUntil moment: ContinuousClock.Instant? = nil
    ) throws(LogTransportError) -> Bool {
        guard let moment, moment < deadline else { return try wait(for: waits, atMost: deadline - .now) }
        _ = try wait(for: waits, atMost: max(.microseconds(1), moment - .now))
        return deadline > .now && !Wait.isReadable(end)
    }

    /// Waits for a moment, for what no descriptor tells of.
    ///
    /// - Returns: Whether there is time left for more.
    func pause() throws(LogTransportError) -> Bool {
        _ = try wait(for: [], atMost: min(.milliseconds(2), deadline - .now))
        return deadline > .now && !Wait.isReadable(end)
    }

    private func wait(for waits: [Wait], atMost time: Duration) throws(LogTransportError) -> Bool {
        guard time > .zero else { return false }
        var items = [PollItem(descriptor: end, .input)] + waits.map { PollItem($0) }
        do throws(ZeroMQError) {
            return try poll(&items, timeout: time) > 0 && items[0].ready.isEmpty
        } catch {
            throw LogTransportError(sending: error)
        }
    }
}
