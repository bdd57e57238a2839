import CivilTime
import Logging

/// Puts messages aside that a handler cannot deal with, in a key of their own.
struct ParkingLot {
    private let letters: DeadLetters
    private let subscription: Subscription
    private let broker: any Broker
    private var writer: (any MessageWriter)?

    /// Puts aside what comes from a broker.
    init(_ letters: DeadLetters, _ subscription: Subscription, broker: any Broker) {
        self.letters = letters
        self.subscription = subscription
        self.broker = letters.broker ?? broker
    }

    /// Puts messages aside, and returns when they are durable there; who is patient waits for a broker that is away.
    mutating func park(_ messages: [Message], isPatient: Bool) async throws(MessageLogError) {
        var batch = MessageBatch()
        for message in messages { batch.append(message.body, at: .now) }
        var patience = Patience(clock: subscription.clock, logger: subscription.logger)
        while true {
            do throws(MessageLogError) {
                let writer = try await open()
                // The same batch again, so that the writer knows it when it is not known whether it was stored.
                try await writer.append(batch)
                patience.reset()
                return
            } catch {
                guard isPatient, error.isRetriable else { throw error }
                try await patience.wait(after: error)
            }
        }
    }

    private mutating func open() async throws(MessageLogError) -> any MessageWriter {
        if let writer { return writer }
        let made = try await broker.makeWriter(for: letters.key)
        writer = made
        return made
    }

    /// Lets go of the writer.
    mutating func close() async {
        await writer?.close()
        writer = nil
    }
}
