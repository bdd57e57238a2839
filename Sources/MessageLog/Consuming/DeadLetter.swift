import CivilTime
import FoundationEssentials
import JSON

/// A message that was put aside, with where it came from and why: what a dead-letter key has (docs/muskrat-library.md).
///
/// It is sent as a JSON object, whose members are those that `muskrat consume --json` prints of a message, and some more.
///
/// ```swift
/// let replay = Consumer("Dead.Letters", broker: broker) { message in
///     guard let letter = DeadLetter(message.body) else { return }
///     try await producer.send(letter.message.body)
/// }
/// ```
public struct DeadLetter: Sendable {
    /// The message as it was.
    public let message: Message
    /// The broker that it came from, without a password.
    public let broker: String
    /// The name of the consumer that failed with it.
    public let consumer: ConsumerName
    /// What the handler's last error said, at most ``errorLimit`` characters of it.
    public let error: String
    /// How often the handler was run with it.
    public let attempts: Int

    /// How much of an error is kept.
    public static let errorLimit = 2000

    init(_ message: Message, from broker: String, for consumer: ConsumerName, error: any Error, attempts: Int) {
        self.message = message
        self.broker = broker
        self.consumer = consumer
        self.error = String("\(error)".prefix(Self.errorLimit))
        self.attempts = attempts
    }

    /// Reads one; `nil` when it is none, such as a body that was put aside as it was.
    ///
    /// - Parameter body: The body of a message of a dead-letter key.
    public init?(_ body: some Collection<UInt8>) {
        guard body.first == UInt8(ascii: "{"), let json = try? JSONValue(parsing: Array(body)),
            json["deadLetter"]?.unsigned == 1,
            let key = json["key"]?.string.flatMap({ try? RoutingKey($0) }),
            let time = json["time"]?.string.flatMap({ UTCTime($0) }),
            let position = Self.position(in: json), let bytes = Self.bytes(in: json),
            let consumer = json["consumer"]?.string.flatMap({ try? ConsumerName($0) }),
            let broker = json["broker"]?.string, let error = json["error"]?.string
        else { return nil }
        message = Message(key: key, body: bytes[...], time: time, position: position)
        self.broker = broker
        self.consumer = consumer
        self.error = error
        attempts = json["attempts"]?.unsigned.flatMap { Int(exactly: $0) } ?? 0
    }

    /// The object, in one line.
    func bytes() -> [UInt8] {
        var object = JSONObject()
        object["deadLetter"] = 1
        object["key"] = .string(message.key.description)
        switch message.position {
        case .sequence(let number): object["sequence"] = .number(JSONNumber(number))
        case .name(let name): object["name"] = .string(name)
        case .delivery(let number): object["delivery"] = .number(JSONNumber(number))
        }
        object["time"] = .string(message.time.description)
        object["broker"] = .string(broker)
        object["consumer"] = .string(consumer.description)
        object["error"] = .string(error)
        object["attempts"] = .number(attempts)
        if let text = String(validating: message.body, as: UTF8.self) {
            object["text"] = .string(text)
        } else {
            object["base64"] = .string(Data(message.body).base64EncodedString())
        }
        return JSONValue.object(object).bytes()
    }

    private static func position(in json: JSONValue) -> Position? {
        if let number = json["sequence"]?.unsigned { return .sequence(number) }
        if let name = json["name"]?.string { return .name(name) }
        return json["delivery"]?.unsigned.map { .delivery($0) }
    }

    private static func bytes(in json: JSONValue) -> [UInt8]? {
        if let text = json["text"]?.string { return Array(text.utf8) }
        return json["base64"]?.string.flatMap { Data(base64Encoded: $0) }.map { Array($0) }
    }
}
