internal import CivilTime
internal import FoundationEssentials
internal import JSON
internal import MessageLog

/// A message as 'muskrat consume' writes it: its body, or JSON.
enum MessageText {
    /// The body as it is, which is one line where it was produced from one.
    case body
    /// An object in one line.
    case json

    /// Appends a message and a line feed.
    func append(_ message: Message, to bytes: inout [UInt8]) {
        switch self {
        case .body: message.body.withUnsafeBytes { bytes.append(contentsOf: $0) }
        case .json: bytes.append(contentsOf: JSONValue.object(Self.object(message)).bytes())
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Appends messages as one array, and a line feed.
    static func append(listOf messages: some Sequence<Message>, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: JSONValue.array(messages.map { .object(object($0)) }).bytes())
        bytes.append(UInt8(ascii: "\n"))
    }

    /// The message as an object: its key, where it stands, its time, and its body as text where it is UTF-8.
    static func object(_ message: Message) -> JSONObject {
        var object = JSONObject()
        object["key"] = .string(message.key.description)
        switch message.position {
        case .sequence(let number): object["sequence"] = .number(JSONNumber(number))
        case .name(let name): object["name"] = .string(name)
        case .delivery(let number): object["delivery"] = .number(JSONNumber(number))
        }
        object["time"] = .string(message.time.description)
        if let text = String(validating: message.body, as: UTF8.self) {
            object["text"] = .string(text)
        } else {
            object["base64"] = .string(Data(message.body).base64EncodedString())
        }
        return object
    }
}
