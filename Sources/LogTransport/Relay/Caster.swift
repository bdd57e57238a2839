/// Hands messages of a program's own on over ZeroMQ, as ``StdinRelay`` does with lines.
///
/// ```swift
/// let caster = try Caster(binding: "tcp://127.0.0.1:5000")
/// try await caster.cast("started")
/// let report = await caster.close()
/// ```
public final class Caster: Sendable {
    /// Makes a caster that hands messages on to what `makeOutlet` makes.
    package init(
        options: RelayOptions = RelayOptions(), makeOutlet: @escaping OutletFactory
    ) throws(LogTransportError) {
        throw LogTransportError(.unavailable, "the caster's loop is not here yet")
    }

    /// Takes a message for handing on; waits while there is no room, unless ``RelayOptions/whenFull`` says to drop.
    public func cast(_ message: String) async throws(LogTransportError) {}

    /// Takes a message for handing on; waits while there is no room, unless ``RelayOptions/whenFull`` says to drop.
    public func cast(_ message: [UInt8]) async throws(LogTransportError) {}

    /// What the caster has done so far.
    public var report: RelayReport { RelayReport() }

    /// Hands on what is still here within the linger, and closes.
    @discardableResult
    public func close() async -> RelayReport { report }
}
