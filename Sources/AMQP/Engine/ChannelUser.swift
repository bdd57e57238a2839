internal import CRabbitMQ

/// Something that has a channel to the broker; it outlives the channel and the connection.
///
/// All of it happens on the connection's thread.
protocol ChannelUser: AnyObject {
    /// The channel was opened; what is needed before it can be used is sent now.
    func opened(_ channel: UInt16, of session: Session) throws(AMQPError)
    /// A method came, other than those that open and close.
    func receive(_ method: amqp_method_t, over session: Session) throws(AMQPError)
    /// A piece of a message came.
    func receive(_ content: ContentFrame, over session: Session) throws(AMQPError)
    /// The broker closed the channel.
    func refused(_ error: AMQPError, by session: Session) throws(AMQPError)
    /// The connection ended.
    func disconnected(_ error: AMQPError)
}

/// A frame of a message behind its method.
enum ContentFrame {
    case header(bodySize: UInt64, MessageProperties)
    case body(UnsafeRawBufferPointer)
}

extension ContentAssembly {
    mutating func take(_ frame: ContentFrame) throws(AMQPError) -> Content? {
        switch frame {
        case .header(let bodySize, let properties): try header(bodySize: bodySize, properties)
        case .body(let piece): try append(piece)
        }
    }
}

extension amqp_method_t {
    /// The method's fields.
    func fields<Fields>(_ type: Fields.Type) throws(AMQPError) -> Fields {
        guard let decoded else { throw AMQPError(.protocolViolation, "the broker sent a method without fields") }
        return decoded.assumingMemoryBound(to: type).pointee
    }
}

/// A method that was not to be expected.
func unexpected(_ method: amqp_method_t) -> AMQPError {
    let name = amqp_method_name(method.id).map { String(cString: $0) } ?? String(method.id, radix: 16)
    return AMQPError(.protocolViolation, "the broker sent \(name) where it has no meaning")
}
