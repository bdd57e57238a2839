internal import CRabbitMQ

/// A route in librabbitmq's types.
///
/// `@unchecked Sendable`: nothing is changed after `init`, and the memory lives as long as this object.
final class EncodedRoute: @unchecked Sendable {
    let exchange: amqp_bytes_t
    let routingKey: amqp_bytes_t
    let properties: UnsafePointer<amqp_basic_properties_t>
    let isMandatory: Bool
    /// What the frames before the body come to, at most.
    let overhead: Int
    private let memory = CMemory()

    init(exchange: String, routingKey: String, properties: MessageProperties, isMandatory: Bool) {
        self.exchange = memory.bytes(exchange)
        self.routingKey = memory.bytes(routingKey)
        self.properties = memory.value(encodedProperties(properties, in: memory))
        self.isMandatory = isMandatory
        // Headers are no larger than checkTable lets them be.
        overhead =
            128 + exchange.utf8.count + routingKey.utf8.count + properties.textBytes
            + (properties.headers.isEmpty ? 0 : 16_384)
    }
}

extension EncodedRoute {
    /// The properties with one more header.
    func properties(
        withHeader name: String, _ number: UInt64, in memory: CMemory
    ) -> UnsafePointer<amqp_basic_properties_t> {
        var result = properties.pointee
        let old = result._flags & amqp_flags_t(AMQP_BASIC_HEADERS_FLAG) == 0 ? amqp_empty_table : result.headers
        result.headers = memory.table(old, adding: name, .integer(Int64(clamping: number)))
        result._flags |= amqp_flags_t(AMQP_BASIC_HEADERS_FLAG)
        return memory.value(result)
    }
}

/// The header by which a mandatory message is known when it comes back.
let sequenceHeader = "x-publish-sequence"

private func encodedProperties(_ source: MessageProperties, in memory: CMemory) -> amqp_basic_properties_t {
    var result = amqp_basic_properties_t()
    func put(
        _ value: String?, _ field: WritableKeyPath<amqp_basic_properties_t, amqp_bytes_t>, _ flag: Int32
    ) {
        guard let value else { return }
        result[keyPath: field] = memory.bytes(value)
        result._flags |= amqp_flags_t(flag)
    }
    put(source.contentType, \.content_type, AMQP_BASIC_CONTENT_TYPE_FLAG)
    put(source.contentEncoding, \.content_encoding, AMQP_BASIC_CONTENT_ENCODING_FLAG)
    put(source.correlationID, \.correlation_id, AMQP_BASIC_CORRELATION_ID_FLAG)
    put(source.replyTo, \.reply_to, AMQP_BASIC_REPLY_TO_FLAG)
    put(source.expiration, \.expiration, AMQP_BASIC_EXPIRATION_FLAG)
    put(source.messageID, \.message_id, AMQP_BASIC_MESSAGE_ID_FLAG)
    put(source.type, \.type, AMQP_BASIC_TYPE_FLAG)
    put(source.userID, \.user_id, AMQP_BASIC_USER_ID_FLAG)
    put(source.appID, \.app_id, AMQP_BASIC_APP_ID_FLAG)
    if !source.headers.isEmpty {
        result.headers = memory.table(source.headers)
        result._flags |= amqp_flags_t(AMQP_BASIC_HEADERS_FLAG)
    }
    if source.isPersistent {
        result.delivery_mode = UInt8(AMQP_DELIVERY_PERSISTENT.rawValue)
        result._flags |= amqp_flags_t(AMQP_BASIC_DELIVERY_MODE_FLAG)
    }
    if let priority = source.priority {
        result.priority = priority
        result._flags |= amqp_flags_t(AMQP_BASIC_PRIORITY_FLAG)
    }
    if let timestamp = source.timestamp {
        result.timestamp = timestamp
        result._flags |= amqp_flags_t(AMQP_BASIC_TIMESTAMP_FLAG)
    }
    return result
}

extension MessageProperties {
    /// Copies what librabbitmq has decoded.
    init(_ source: amqp_basic_properties_t) {
        func get(_ value: amqp_bytes_t, _ flag: Int32) -> String? {
            source._flags & amqp_flags_t(flag) == 0 ? nil : text(value)
        }
        func has(_ flag: Int32) -> Bool { source._flags & amqp_flags_t(flag) != 0 }
        self.init(
            contentType: get(source.content_type, AMQP_BASIC_CONTENT_TYPE_FLAG),
            contentEncoding: get(source.content_encoding, AMQP_BASIC_CONTENT_ENCODING_FLAG),
            headers: has(AMQP_BASIC_HEADERS_FLAG) ? fieldTable(source.headers) : [:],
            isPersistent: has(AMQP_BASIC_DELIVERY_MODE_FLAG) && source.delivery_mode == 2,
            priority: has(AMQP_BASIC_PRIORITY_FLAG) ? source.priority : nil,
            correlationID: get(source.correlation_id, AMQP_BASIC_CORRELATION_ID_FLAG),
            replyTo: get(source.reply_to, AMQP_BASIC_REPLY_TO_FLAG),
            expiration: get(source.expiration, AMQP_BASIC_EXPIRATION_FLAG),
            messageID: get(source.message_id, AMQP_BASIC_MESSAGE_ID_FLAG),
            timestamp: has(AMQP_BASIC_TIMESTAMP_FLAG) ? source.timestamp : nil,
            type: get(source.type, AMQP_BASIC_TYPE_FLAG),
            userID: get(source.user_id, AMQP_BASIC_USER_ID_FLAG),
            appID: get(source.app_id, AMQP_BASIC_APP_ID_FLAG))
    }
}
