import JSON

/// What a message asks for, in its field `hpcs_action`.
public enum Action: String, Sendable, Hashable, Word {
    /// Make the balancers of the message those of the host.
    case update = "UPDATE"

    /// The same as ``update``.
    case create = "CREATE"

    /// Stop traffic.
    case suspend = "SUSPEND"

    /// Let traffic through again.
    case enable = "ENABLE"

    /// End balancing on the host.
    case delete = "DELETE"

    /// Tell the version of the balancing software.
    case discover = "DISCOVER"

    /// Tell how the nodes are.
    case stats = "STATS"

    /// Tell how much passed since the last time.
    case metrics = "METRICS"

    /// Upload the log.
    case archive = "ARCHIVE"

    /// Look at what the worker needs.
    case diagnostics = "DIAGNOSTICS"

    /// Tell whether the balancing software answers.
    case ping = "PING"

    /// Tell what an UPDATE would do.
    case plan = "PLAN"
}

extension Action {
    /// Reads the action of a message.
    init(of message: JSONObject) throws(MessageError) {
        guard let value = FieldReader(message)[Field.action] else {
            throw MessageError(.missing, "Missing '\(Field.action)' element")
        }
        guard let word = value.string, let action = Action(word: word) else {
            throw MessageError(.invalid, "Unknown '\(Field.action)' \(value.quoted): send \(Action.choices)")
        }
        self = action
    }
}
