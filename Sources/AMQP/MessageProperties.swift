/// What a message says of itself besides its body (the properties of AMQP's class basic).
///
/// Texts have at most 255 bytes.
public struct MessageProperties: Sendable, Hashable {
    /// The MIME type of the body.
    public var contentType: String?
    /// The MIME encoding of the body.
    public var contentEncoding: String?
    /// Headers, at most 16 KiB together.
    public var headers: FieldTable
    /// Whether durable queues keep it on disk (delivery mode 2).
    public var isPersistent: Bool
    /// The priority, 0 to 255.
    public var priority: UInt8?
    /// What relates an answer to a request.
    public var correlationID: String?
    /// The queue for answers.
    public var replyTo: String?
    /// Milliseconds after which queues drop the message, in digits.
    public var expiration: String?
    /// The message's id.
    public var messageID: String?
    /// Seconds since 1970, UTC.
    public var timestamp: UInt64?
    /// The message's type.
    public var type: String?
    /// The user who publishes; the broker refuses any but the one who is logged in.
    public var userID: String?
    /// The program that publishes.
    public var appID: String?

    /// Describes a message; by default nothing is said.
    public init(
        contentType: String? = nil, contentEncoding: String? = nil, headers: FieldTable = [:],
        isPersistent: Bool = false, priority: UInt8? = nil, correlationID: String? = nil, replyTo: String? = nil,
        expiration: String? = nil, messageID: String? = nil, timestamp: UInt64? = nil, type: String? = nil,
        userID: String? = nil, appID: String? = nil
    ) {
        self.contentType = contentType
        self.contentEncoding = contentEncoding
        self.headers = headers
        self.isPersistent = isPersistent
        self.priority = priority
        self.correlationID = correlationID
        self.replyTo = replyTo
        self.expiration = expiration
        self.messageID = messageID
        self.timestamp = timestamp
        self.type = type
        self.userID = userID
        self.appID = appID
    }

    private var texts: [String] {
        [contentType, contentEncoding, correlationID, replyTo, expiration, messageID, type, userID, appID]
            .compactMap { $0 }
    }

    /// How many bytes the texts have.
    var textBytes: Int { texts.reduce(0) { $0 + $1.utf8.count + 1 } }

    func check() throws(AMQPError) {
        for text in texts { try checkShort(text, "property '\(text.prefix(32))…'") }
        try checkTable(headers, "headers of the message")
    }
}
