/// What makes the readers of one name take turns.
protocol Lease: Sendable {
    /// Takes it if nobody has it, without waiting for whoever does.
    ///
    /// - Returns: Whether it is held now.
    func tryToTake() async throws(MessageLogError) -> Bool

    /// Who had it when ``tryToTake()`` was last called in vain, in words; `nil` where that is not known.
    func otherHolder() async -> String?

    /// Takes it, and waits until it is free.
    ///
    /// - Throws: ``MessageLogError``; `cancelled`, `closed`.
    func take() async throws(MessageLogError)

    /// Makes sure that it is still held, as far as can be known without waiting.
    ///
    /// - Throws: ``MessageLogError``; `leaseLost`.
    func check() async throws(MessageLogError)

    /// Gives it back.
    func release() async

    /// Gives it back for good; a wait for it ends with `closed`.
    func close() async
}
