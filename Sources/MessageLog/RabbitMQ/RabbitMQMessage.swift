internal import AMQP
internal import CivilTime

/// How a message's time goes over AMQP, whose own timestamp has whole seconds.
enum RabbitMQTime {
    /// The header with the microseconds since 1970-01-01T00:00:00Z.
    static let header = "x-time-us"

    /// What a message says of itself.
    static func properties(at time: UTCTime) -> MessageProperties {
        MessageProperties(
            headers: [header: .integer(time.microseconds)], isPersistent: true,
            timestamp: UInt64(exactly: time.microseconds / 1_000_000))
    }

    /// When a message was sent; without header and timestamp, as from other producers, when it arrived.
    static func time(of properties: MessageProperties) -> UTCTime {
        if case .integer(let microseconds)? = properties.headers[header] {
            let time = UTCTime(microseconds: microseconds)
            if time.microseconds == microseconds { return time }
        }
        if let seconds = properties.timestamp, let time = Int64(exactly: seconds), time < 1 << 37 {
            return UTCTime(microseconds: time * 1_000_000)
        }
        return .now
    }
}
