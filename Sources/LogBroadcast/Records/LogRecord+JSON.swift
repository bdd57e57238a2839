public import CivilTime
import JSON
package import Logging

extension LogRecord {
    /// Reads a record as it is broadcast, this project's or that of the older Python tools.
    ///
    /// A record is a JSON object with a `message` and a `level`. What else it has is optional, and of whatever type it is
    /// there; what this version does not know is left out.
    ///
    /// - Parameters:
    ///   - bytes: JSON in UTF-8.
    ///   - time: What counts as its time when it has none that can be read.
    /// - Throws: ``LogBroadcastError`` with the code `notARecord`.
    public init(json bytes: [UInt8], receivedAt time: UTCTime = .now) throws(LogBroadcastError) {
        guard let object = try Self.json(bytes).object else {
            throw LogBroadcastError(.notARecord, "not a JSON object")
        }
        guard let message = object["message"].flatMap(Self.text) else {
            throw LogBroadcastError(.notARecord, "a JSON object without 'message'")
        }
        guard let level = object["level"].flatMap(Self.text).flatMap(Logger.Level.init(recordName:)) else {
            throw LogBroadcastError(.notARecord, "a JSON object without a 'level' that is one")
        }
        func text(_ field: String) -> String { object[field].flatMap(Self.text) ?? "" }
        self.init(
            level, message, machine: text("machine"), logger: text("logger"),
            time: UTCTime(text("timestamp")) ?? time)
        pathname = text("pathname")
        lineno = Int(text("lineno")) ?? 0
        function = text("function")
        exception = object["exception"].flatMap(Self.text)
        pid = Int(text("pid")) ?? 0
        seq = UInt64(text("seq")) ?? 0
        run = text("run")
        for member in object["metadata"]?.object?.members ?? [] {
            metadata[member.key] = Logger.MetadataValue(member.value)
        }
    }

    /// The record as it is broadcast: a JSON object in UTF-8 without line ends.
    ///
    /// Its fields, in this order: `source` (always `logger`), `machine`, `message`, `level`, `pathname`, `lineno`,
    /// `exception`, `timestamp`, `logger`, `function`, `pid`, `seq`, `run`, `metadata`.
    public var json: [UInt8] {
        let fields: JSONValue = [
            "source": "logger", "machine": .string(machine), "message": .string(message),
            "level": .string(level.recordName), "pathname": .string(pathname), "lineno": .number(lineno),
            "exception": exception.map { .string($0) } ?? .null, "timestamp": .string(time.description),
            "logger": .string(logger), "function": .string(function), "pid": .number(pid),
            "seq": .number(JSONNumber(seq)), "run": .string(run), "metadata": JSONValue(.dictionary(metadata)),
        ]
        return fields.bytes()
    }

    /// Reads JSON; what is no character within it becomes U+FFFD, as a record in Latin-1 is better than none.
    ///
    /// Python's `json` writes bytes that it could not decode (PEP 383) as halves of surrogate pairs.
    private static func json(_ bytes: [UInt8]) throws(LogBroadcastError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: bytes, loneSurrogates: .replaced)
        } catch {
            if String(validating: bytes, as: UTF8.self) == nil,
                let value = try? JSONValue(
                    parsing: Array(String(decoding: bytes, as: UTF8.self).utf8), loneSurrogates: .replaced)
            {
                return value
            }
            throw LogBroadcastError(.notARecord, "not JSON", cause: error)
        }
    }

    /// A string as it is, another value but null as JSON.
    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .null: nil
        case .string(let string): string
        default: value.description
        }
    }
}

extension Logger.MetadataValue {
    /// The value for people: a text as it is, a list or a dictionary as JSON without blanks.
    package var text: String {
        switch self {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array, .dictionary: JSONValue(self).description
        }
    }

    /// What a JSON value is among metadata, where there are strings, lists and dictionaries only.
    fileprivate init(_ value: JSONValue) {
        switch value {
        case .string(let string): self = .string(string)
        case .array(let elements): self = .array(elements.map { Self($0) })
        case .object(let object):
            self = .dictionary(
                Dictionary(object.members.map { ($0.key, Self($0.value)) }, uniquingKeysWith: { $1 }))
        default: self = .string(value.description)
        }
    }
}

extension JSONValue {
    /// Metadata as JSON; the keys of a dictionary come sorted.
    fileprivate init(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let string): self = .string(string)
        case .stringConvertible(let value): self = .string(value.description)
        case .array(let elements): self = .array(elements.map { Self($0) })
        case .dictionary(let dictionary):
            var object = JSONObject()
            for (key, value) in dictionary.sorted(by: { $0.key < $1.key }) { object[key] = Self(value) }
            self = .object(object)
        }
    }
}
