/// What has to be so for an object to be written (RFC 9110, section 13.1).
public enum PutCondition: Sendable, Hashable {
    /// Nothing: what is there is replaced.
    case always
    /// There is no object of that name (`If-None-Match: *`).
    case absent
    /// The object that is there has this tag (`If-Match`).
    case matches(EntityTag)
}

/// What tells one content of an object from another (an ETag, RFC 9110, section 8.8.3); only for comparing.
public struct EntityTag: Sendable, Hashable, CustomStringConvertible {
    /// The tag as the store gives it.
    public let description: String

    /// Takes a tag as the store gives it, with its quotes if it has any.
    public init(_ text: String) { description = text }
}
