/// What became of a message at a broker.
public enum SendOutcome: Sendable {
    /// The broker has it, durably; where, as far as the broker tells.
    case stored(Position?)
    /// The broker is away; the message is in the local spool, durably, and goes to the broker when it is back.
    case spooled
    /// The broker does not have it, and will not.
    ///
    /// With the code `ambiguous` it may have it.
    case refused(MessageLogError)
}

/// What became of a message at all brokers of its producer.
public struct Receipt: Sendable {
    /// A broker, and what became of the message there.
    public struct AtBroker: Sendable {
        /// The broker, as it describes itself.
        public let broker: String
        /// What became of the message there.
        public let outcome: SendOutcome
    }

    /// For each broker, in the order in which the producer has them.
    public let brokers: [AtBroker]

    /// Whether each broker has the message.
    public var isStored: Bool {
        brokers.allSatisfy { if case .stored = $0.outcome { true } else { false } }
    }

    /// Whether each broker has the message, or will have it.
    public var isComplete: Bool { refusals.isEmpty }

    /// What brokers said that refused the message.
    public var refusals: [MessageLogError] {
        brokers.compactMap { if case .refused(let error) = $0.outcome { error } else { nil } }
    }
}

extension Receipt: CustomStringConvertible {
    /// The outcomes in words.
    public var description: String {
        brokers.map { place in
            switch place.outcome {
            case .stored(let position?): "\(place.broker): stored at \(position)"
            case .stored(nil): "\(place.broker): stored"
            case .spooled: "\(place.broker): waits in the spool"
            case .refused(let error): "\(place.broker): \(error)"
            }
        }.joined(separator: "; ")
    }
}

/// What became of a batch at one broker.
enum BatchOutcome: Sendable {
    case stored(AppendReceipt)
    case spooled
    case refused(MessageLogError)

    /// What became of one of `count` messages of the batch.
    func outcome(of index: Int, count: Int) -> SendOutcome {
        switch self {
        case .spooled: .spooled
        case .refused(let error): .refused(error)
        case .stored(let receipt): .stored(Self.position(of: index, count: count, in: receipt))
        }
    }

    private static func position(of index: Int, count: Int, in receipt: AppendReceipt) -> Position? {
        if index == count - 1, let last = receipt.last { return last }
        guard let first = receipt.first else { return nil }
        if case .sequence(let number) = first { return .sequence(number + UInt64(index)) }
        return index == 0 ? first : nil
    }
}
