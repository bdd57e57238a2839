internal import CivilTime
internal import FoundationEssentials

/// Values as the JSON bodies of messages.
enum JSONBody {
    /// Writes a value: dates with a format, keys in order, so that equal values have equal bodies.
    static func encode(_ value: some Encodable, dates format: TimeFormat) throws(MessageLogError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            let microseconds = (date.timeIntervalSince1970 * 1_000_000).rounded()
            guard let time = Int64(exactly: microseconds), UTCTime(microseconds: time).microseconds == time else {
                throw EncodingError.invalidValue(
                    date,
                    EncodingError.Context(
                        codingPath: encoder.codingPath, debugDescription: "the date is not within the years 0 to 9999"))
            }
            try container.encode(format.text(of: UTCTime(microseconds: time)))
        }
        do {
            return Array(try encoder.encode(value))
        } catch {
            throw MessageLogError(.invalidArgument, "the value cannot be written as JSON", cause: error)
        }
    }
}
