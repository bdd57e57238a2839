internal import CivilTime
internal import FoundationEssentials
internal import JSON
internal import MessageLog

/// A message as 'muskrat consume' writes it: its body, or JSON.
enum MessageText {
    /// The body as it is, which is one line where it was produced from one.
    case body
    /// An object in one line, with its time in a format of one's own or, with nil, as RFC 3339 has it.
    case json(TimeFormat?)

    /// Appends a message and a line feed.
    func append(_ message: Message, to bytes: inout [UInt8]) {
        switch self {
        case .body: message.body.withUnsafeBytes { bytes.append(contentsOf: $0) }
        case .json(let format): bytes.append(contentsOf: JSONValue.object(Self.object(message, format)).bytes())
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Appends messages as one array, and a line feed.
    static func append(listOf messages: some Sequence<Message>, times format: TimeFormat?, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: JSONValue.array(messages.map { .object(object($0, format)) }).bytes())
        bytes.append(UInt8(ascii: "\n"))
    }

    /// The message as an object: its key, where it stands, its time, and its body as text where it is UTF-8.
    static func object(_ message: Message, _ format: TimeFormat?) -> JSONObject {
        var object = JSONObject()
        object["key"] = .string(message.key.description)
        switch message.position {
        case .sequence(let number): object["sequence"] = .number(JSONNumber(number))
        case .name(let name): object["name"] = .string(name)
        case .delivery(let number): object["delivery"] = .number(JSONNumber(number))
        }
        object["time"] = .string(time(message.time, in: format))
        if let text = String(validating: message.body, as: UTF8.self) {
            object["text"] = .string(text)
        } else {
            object["base64"] = .string(Data(message.body).base64EncodedString())
        }
        return object
    }

    /// A time in words: in a format of one's own, or as RFC 3339 has it.
    static func time(_ time: UTCTime, in format: TimeFormat?) -> String {
        format.map { $0.text(of: time) } ?? time.description
    }
}
