/// An exchange, as it is declared.
public struct Exchange: Sendable, Hashable {
    /// How an exchange chooses the queues for a message.
    public struct Kind: Sendable, Hashable {
        /// The kind's name in AMQP.
        public let name: String

        /// A kind by its name in AMQP, for those that plug-ins of the broker bring.
        public init(name: String) { self.name = name }

        /// Queues bound with the message's routing key.
        public static let direct = Kind(name: "direct")
        /// All queues bound.
        public static let fanout = Kind(name: "fanout")
        /// Queues bound with a pattern (`*` for a word, `#` for any number of them) that fits the routing key.
        public static let topic = Kind(name: "topic")
        /// Queues bound with arguments that fit the message's headers.
        public static let headers = Kind(name: "headers")
    }

    /// The name, 1 to 255 bytes.
    public let name: String
    /// How it chooses queues.
    public let kind: Kind
    /// Whether it outlives a restart of the broker.
    public let isDurable: Bool
    /// Whether it goes when its last binding goes.
    public let isAutoDelete: Bool
    /// Further arguments, such as `alternate-exchange`.
    public let arguments: FieldTable

    /// Describes an exchange.
    ///
    /// - Throws: ``AMQPError`` with the code `invalidArgument` for a name or an argument that AMQP cannot carry.
    public init(
        _ name: String, kind: Kind, isDurable: Bool = false, isAutoDelete: Bool = false, arguments: FieldTable = [:]
    ) throws(AMQPError) {
        try checkName(name, "exchange")
        try checkShort(kind.name, "kind of exchange '\(name)'")
        try checkTable(arguments, "arguments of exchange '\(name)'")
        self.name = name
        self.kind = kind
        self.isDurable = isDurable
        self.isAutoDelete = isAutoDelete
        self.arguments = arguments
    }
}
