internal import AMQP
internal import ZeroMQ

/// Where log records are broadcast: a broker, or a place where those who log and those who watch meet without one.
///
/// | Form | Meaning |
/// |---|---|
/// | `amqp://user:password@host:port/virtual-host` | A RabbitMQ broker; `amqps://` with TLS |
/// | `tcp://host:port`, `ipc:///path` | ZeroMQ; `tcp://*:5570` for every address of this host |
///
/// What may follow a broker's URL: `heartbeat`, `connection_timeout`, `cacertfile`, `certfile`, `keyfile` and `verify`, as
/// RabbitMQ's own clients have them (https://www.rabbitmq.com/docs/uri-query-parameters).
///
/// Of two ZeroMQ peers one binds and the other connects: a program that logs binds, and those who watch connect, any
/// number of them. `?connect` behind a program's URL and `?bind` behind the watcher's turn it round, so that many
/// programs meet at one known place.
public struct BroadcastURL: Sendable, Hashable {
    /// What a ZeroMQ peer does with its endpoint.
    public enum Side: Sendable, Hashable {
        /// It listens there.
        case bind
        /// It connects, now or as soon as somebody listens there.
        case connect
    }

    enum Place: Sendable, Hashable {
        case broker(BrokerURI)
        case peers(Endpoint)
    }

    let place: Place
    /// Which side this one takes; nil for the broker's, and where nothing is said.
    public private(set) var side: Side?

    /// Reads a URL.
    ///
    /// - Parameter text: One of the forms above.
    /// - Throws: ``LogBroadcastError`` with the code `invalidArgument`; it does not repeat a broker's URL, which may hold
    ///   a password.
    public init(_ text: String) throws(LogBroadcastError) {
        let lowered = text.prefix(8).lowercased()
        if lowered.hasPrefix("amqp://") || lowered.hasPrefix("amqps://") {
            do throws(AMQPError) {
                place = .broker(try BrokerURI(text))
            } catch {
                throw LogBroadcastError(.invalidArgument, error.message)
            }
            return
        }
        guard lowered.hasPrefix("tcp://") || lowered.hasPrefix("ipc://") else {
            // What is no URL at all may still have a password in it.
            let scheme = text.prefix { $0 != ":" }
            throw LogBroadcastError(
                .invalidArgument,
                text.contains("://") && scheme.allSatisfy { $0.isLetter }
                    ? "a broadcast's URL cannot begin with '\(scheme)://': amqp, amqps, tcp and ipc can"
                    : "a broadcast's URL begins with amqp://, amqps://, tcp:// or ipc://")
        }
        var endpoint = text[...]
        if let mark = text.lastIndex(of: "?") {
            endpoint = text[..<mark]
            switch text[text.index(after: mark)...] {
            case "bind": side = .bind
            case "connect": side = .connect
            case let other:
                throw LogBroadcastError(
                    .invalidArgument, "'\(endpoint)' can be followed by ?bind or ?connect, not by '?\(other)'")
            }
        }
        do throws(ZeroMQError) {
            place = .peers(try Endpoint(String(endpoint)))
        } catch {
            throw LogBroadcastError(.invalidArgument, error.message)
        }
    }

    /// The same URL with a side for the case that it names none.
    ///
    /// - Parameter side: The side; of no account for a broker.
    /// - Returns: The URL.
    public func taking(_ side: Side) -> BroadcastURL {
        var url = self
        if case .peers = place, url.side == nil { url.side = side }
        return url
    }

    /// What is to be said at the start where the endpoint is bound and hosts other than this one can reach it.
    ///
    /// One line, to be asked for after ``taking(_:)``; nil for a broker, for the side that connects, for a loopback address
    /// and for a Unix socket.
    public var openBindWarning: String? {
        guard case .peers(let endpoint) = place, side == .bind, !endpoint.isLoopback else { return nil }
        return "whoever reaches \(endpoint) can take part in the log broadcast there, unasked and unencrypted: bind to "
            + "loopback or to a network of your own, or use a broker"
    }
}

extension BroadcastURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The URL without a broker's password and parameters, safe to show.
    public var description: String {
        switch (place, side) {
        case (.broker(let uri), _): "\(uri)"
        case (.peers(let endpoint), nil): "\(endpoint)"
        case (.peers(let endpoint), .bind): "\(endpoint)?bind"
        case (.peers(let endpoint), .connect): "\(endpoint)?connect"
        }
    }

    /// The same as `description`: the password is left out of dumps too.
    public var debugDescription: String { description }

    /// A mirror without the password.
    public var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}
