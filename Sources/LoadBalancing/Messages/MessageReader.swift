import JSON

/// Reads the outermost form of a message: a JSON object of bearable size.
enum MessageReader {
    /// The largest message that is read: 4 MiB.
    static let maximumSize = 4 << 20

    static func read(_ workload: [UInt8]) throws(MessageError) -> JSONObject {
        guard !workload.isEmpty else { throw MessageError(.malformed, "The message is empty") }
        guard workload.count <= maximumSize else {
            throw MessageError(
                .malformed, "The message has \(workload.count) bytes, more than the \(maximumSize) that are read")
        }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: workload)
        } catch {
            throw MessageError(.malformed, "The message is not valid JSON: \(error)", cause: error)
        }
        guard let object = value.object else {
            throw MessageError(.malformed, "The message is not a JSON object but \(value.kind)")
        }
        return object
    }
}
