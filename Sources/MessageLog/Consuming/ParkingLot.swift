import CivilTime
import Logging

/// Puts messages aside that a handler cannot deal with, in a key of their own.
struct ParkingLot {
    private let letters: DeadLetters
    private let subscription: Subscription
    private let broker: any Broker
    /// The broker that the messages come from.
    private let origin: String
    private var writer: (any MessageWriter)?

    /// Puts aside what comes from a broker.
    init(_ letters: DeadLetters, _ subscription: Subscription, broker: any Broker) {
        self.letters = letters
        self.subscription = subscription
        self.broker = letters.broker ?? broker
        origin = broker.description
    }

    /// Puts messages aside, and returns when they are durable there; who is patient waits for a broker that is away.
    mutating func park(
        _ messages: [Message], because failure: any Error, isPatient: Bool
    ) async throws(MessageLogError) {
        var batch = MessageBatch()
        for message in messages {
            switch letters.form {
            case .letter: batch.append(try letter(message, failure), at: .now)
            case .body: batch.append(message.body, at: .now)
            }
        }
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

    private func letter(_ message: Message, _ failure: any Error) throws(MessageLogError) -> ArraySlice<UInt8> {
        let letter = DeadLetter(
            message, from: origin, for: try subscription.name, error: failure,
            attempts: subscription.options.retry.attempts
        ).bytes()
        if letter.count <= Message.maximumBody { return letter[...] }
        subscription.logger.warning(
            "a message is put aside as it is: with its origin it would be longer than a message can be",
            metadata: [LogKey.position: "message \(message.position) of \(message.key)"])
        return message.body
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
