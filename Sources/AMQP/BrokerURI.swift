/// Where a broker is and who connects to it: `amqp://user:password@host:port/virtual-host`, or `amqps://` for TLS.
///
/// The form is RabbitMQ's (https://www.rabbitmq.com/docs/uri-spec and uri-query-parameters). User and password default
/// to `guest`, the port to 5672 or 5671, the virtual host to `/`; all but the port may be percent-encoded. An IPv6
/// address goes into brackets. What can follow a `?`, in the names of RabbitMQ's own clients:
///
/// | Parameter | Meaning |
/// |---|---|
/// | `heartbeat` | seconds, 0 to 65535; 0 for none |
/// | `connection_timeout` | milliseconds for connecting and logging in, 1 to 600000 |
/// | `cacertfile` | PEM file with the authorities to trust |
/// | `certfile`, `keyfile` | PEM files with this side's certificate and its key |
/// | `verify` | `verify_peer` or `verify_none` |
public struct BrokerURI: Sendable, Hashable {
    /// The host's name or address.
    public let host: String
    /// The TCP port.
    public let port: Int
    /// The user's name.
    public let user: String
    /// The virtual host.
    public let virtualHost: String
    /// How TLS is used; `nil` for plain TCP.
    public var tls: BrokerTLS?
    let password: String
    let heartbeat: Duration?
    let connectTimeout: Duration?

    /// Reads a URI.
    ///
    /// - Parameter text: The URI, such as `amqps://logs:secret@mq.example/fleet?cacertfile=/etc/ssl/fleet.pem`.
    /// - Throws: ``AMQPError`` with the code `invalidArgument`; its message does not repeat the URI, which may hold a
    ///   password.
    public init(_ text: String) throws(AMQPError) {
        let parts = try URIParts(text)
        host = parts.host
        port = parts.port ?? (parts.isTLS ? 5671 : 5672)
        user = parts.user ?? "guest"
        password = parts.password ?? "guest"
        virtualHost = parts.path ?? "/"
        for (name, value) in [("user", user), ("virtual host", virtualHost)] where value.utf8.count > 255 {
            throw AMQPError(.invalidArgument, "the \(name) of the broker's URI is longer than 255 bytes")
        }
        let query = try URIQuery(parts.query)
        heartbeat = query.heartbeat
        connectTimeout = query.connectTimeout
        if parts.isTLS {
            tls = query.tls
        } else if query.hasTLS {
            throw AMQPError(.invalidArgument, "the broker's URI has TLS parameters: it needs to begin with amqps://")
        }
    }
}

extension BrokerURI: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The URI without the password and the parameters, safe to show.
    public var description: String {
        let host = host.contains(":") ? "[\(host)]" : host
        let scheme = tls == nil ? "amqp" : "amqps"
        return "\(scheme)://\(percentEncoded(user))@\(host):\(port)/\(percentEncoded(virtualHost))"
    }

    /// The same as `description`: the password is left out of dumps too.
    public var debugDescription: String { description }

    /// A mirror without the password.
    public var customMirror: Mirror { Mirror(self, children: ["uri": description]) }
}
