import CivilTime
import ObjectStorage

/// A broker that messages can be copied from, and to.
///
/// A copy ends with what there was when it began: where both are the same place by two names, it would else have its own
/// messages to copy, for ever.
package protocol CopyPlace: Broker {
    /// How much a consumer may read of a key so as to read only what is there now.
    ///
    /// - Throws: ``MessageLogError``.
    func amount(
        of key: RoutingKey, for consumer: ConsumerName, _ options: ReaderOptions
    ) async throws(MessageLogError) -> CopyAmount

    /// Why a message cannot be kept here, whatever is tried; `nil` where it can.
    func refusal(of message: Message) -> String?

    /// Whether another broker has the same messages by another name, as far as that can be known.
    func isSamePlace(as other: any Broker) -> Bool
}

/// How much there is of a key at some time.
package enum CopyAmount: Sendable, Equatable {
    /// The messages before this number.
    case before(UInt64)
    /// At most so many messages.
    case count(Int)

    /// Whether nothing belongs to it any more, as far as is known without looking at messages.
    package var isUsedUp: Bool { self == .count(0) }

    /// The messages among those that come next that belong to it; they are taken from it.
    package mutating func take(_ messages: [Message]) -> ArraySlice<Message> {
        switch self {
        case .before(let end):
            return messages.prefix { message in
                if case .sequence(let number) = message.position { number < end } else { false }
            }
        case .count(let count):
            let taken = messages.prefix(count)
            self = .count(count - taken.count)
            return taken
        }
    }
}

extension LogBroker: CopyPlace {
    package func amount(
        of key: RoutingKey, for consumer: ConsumerName, _ options: ReaderOptions
    ) async throws(MessageLogError) -> CopyAmount {
        .before(try await folder(of: key).end().sequence)
    }

    package func refusal(of message: Message) -> String? {
        guard message.body.count > Message.maximumBody else { return nil }
        return "it has \(message.body.count) bytes, and \(Message.maximumBody) (8 MiB) are the most in a log"
    }

    package func isSamePlace(as other: any Broker) -> Bool {
        guard let other = other as? LogBroker else { return false }
        if description == other.description { return true }
        guard let here = store as? FileObjectStore, let there = other.store as? FileObjectStore else { return false }
        return prefix == other.prefix && here.isSameFolder(as: there)
    }
}

extension LegacyBroker: CopyPlace {
    package func amount(
        of key: RoutingKey, for consumer: ConsumerName, _ options: ReaderOptions
    ) async throws(MessageLogError) -> CopyAmount {
        let folder = try folder(of: key)
        let progress = try await cursor(consumer, of: folder, in: options.cursorFolder).read()?.progress
        var count = 0
        var next: String? = progress?.floor ?? ""
        while let name = next {
            let page = try await folder.list(after: name)
            count += page.entries.count { progress?.handled.contains($0.name) != true }
            next = page.end
        }
        return .count(count)
    }

    package func refusal(of message: Message) -> String? {
        // A time beyond either end is taken for that end, so that nobody knows what it was.
        guard options.keepsTimes, [UTCTime.range.lowerBound, UTCTime.range.upperBound].contains(message.time) else {
            return nil
        }
        return "its time is before the year 0 or behind the year 9999, which the names of the legacy layout cannot tell"
    }

    package func isSamePlace(as other: any Broker) -> Bool {
        guard let other = other as? LegacyBroker else { return false }
        if description == other.description { return true }
        guard let here = store as? FileObjectStore, let there = other.store as? FileObjectStore else { return false }
        return prefix == other.prefix && here.isSameFolder(as: there)
    }
}

extension RabbitMQBroker: CopyPlace {
    package func amount(
        of key: RoutingKey, for consumer: ConsumerName, _ options: ReaderOptions
    ) async throws(MessageLogError) -> CopyAmount {
        .count(try await waiting(of: RoutingPattern(key), for: consumer))
    }

    package func refusal(of message: Message) -> String? { nil }

    package func isSamePlace(as other: any Broker) -> Bool { description == other.description }
}
