public import JSON

extension JSONValue {
    /// The value with `*****` in the place of every secret, wherever it stands and however its field is capitalized.
    ///
    /// This is what may be logged and answered.
    public var masked: JSONValue { hasSecret ? replacingSecrets : self }

    private var hasSecret: Bool {
        switch self {
        case .object(let object): object.members.contains { $0.key.isSecret || $0.value.hasSecret }
        case .array(let array): array.contains(where: \.hasSecret)
        case .null, .bool, .number, .string: false
        }
    }

    private var replacingSecrets: JSONValue {
        switch self {
        case .object(var object):
            for member in object.members {
                object[member.key] = member.key.isSecret ? "*****" : member.value.replacingSecrets
            }
            return .object(object)
        case .array(let array): return .array(array.map(\.replacingSecrets))
        case .null, .bool, .number, .string: return self
        }
    }
}

extension JSONObject {
    /// The object with every secret masked; see ``JSONValue/masked``.
    var masked: JSONObject { JSONValue.object(self).masked.object ?? self }
}

extension String {
    fileprivate var isSecret: Bool { equalsIgnoringASCIICase(Field.token) }
}
