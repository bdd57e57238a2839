internal import AMQP
public import Logging
public import ObjectStorage

/// How messages lie in a folder or an object store.
public enum BrokerLayout: String, Sendable, Hashable, CaseIterable {
    /// Numbered segments of many messages (``LogBroker``).
    case log
    /// An object for each message, as the old library of this name wrote them (``LegacyBroker``).
    case legacy
}

/// A broker as one line of text.
///
/// | URL | Broker |
/// |---|---|
/// | `file:///var/lib/muskrat` | a log in a folder |
/// | `s3://bucket/prefix?endpoint=http://host:port&region=…&path-style=true` | a log in a bucket; see ``ObjectStoreURL`` |
/// | `amqp://user@host:port/vhost?exchange=…` | RabbitMQ, `amqps://` with TLS; see ``BrokerURI`` for its parameters |
///
/// Folders and stores know the parameter `layout`, `log` or `legacy`. RabbitMQ knows:
///
/// | Parameter | Meaning |
/// |---|---|
/// | `exchange` | the exchange's name, `muskrat` by default |
/// | `allow_unroutable` | `true`: a message that no queue takes is dropped, and not refused |
/// | `prefetch` | how many messages are handed out ahead of their commit |
/// | `password_file` | a file that holds the password; without one, and without a password in the URL, the variable `LIBRA_AMQP_PASSWORD` is taken if it is set |
///
/// Unknown parameters are errors.
public struct BrokerURL: Sendable, Hashable, CustomStringConvertible {
    private enum Place: Hashable {
        case store(ObjectStoreURL, BrokerLayout?)
        case rabbitMQ(RabbitMQURL)
    }

    private let place: Place

    /// Reads a URL.
    ///
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`; its message shows no password.
    public init(_ text: String) throws(MessageLogError) {
        let scheme = text.prefix { $0 != ":" }.lowercased()
        if scheme == "amqp" || scheme == "amqps" {
            place = .rabbitMQ(try RabbitMQURL(text))
            return
        }
        if scheme == "memory" {
            // Each opening is a memory of its own: what one sends nobody else could read.
            throw MessageLogError(
                .invalidArgument,
                "'memory:' is no broker: what is in the memory of one program nobody else reads; file:///PATH is a folder"
            )
        }
        guard scheme != text.lowercased(), ["file", "s3", "swift"].contains(scheme) else {
            throw MessageLogError(
                .invalidArgument,
                "'\(RoutingWord.visible(scheme))' is no broker: it has to begin with file:, s3:, swift:, amqp: or amqps:; "
                    + "a folder is file:///PATH")
        }
        let url: ObjectStoreURL
        do throws(ObjectStoreError) {
            url = try ObjectStoreURL(text, leaving: ["layout"])
        } catch {
            throw MessageLogError(.invalidArgument, error.message)
        }
        var layout: BrokerLayout?
        if let name = url.otherParameters["layout"] {
            layout = BrokerLayout(rawValue: name)
            guard layout != nil else {
                throw MessageLogError(
                    .invalidArgument, "the layout '\(RoutingWord.visible(name))' of '\(url)' is neither log nor legacy")
            }
        }
        place = .store(url, layout)
    }

    /// How messages lie there, where the URL says so.
    public var layout: BrokerLayout? {
        if case .store(_, let layout) = place { layout } else { nil }
    }

    /// The URL, without a password.
    public var description: String {
        switch place {
        case .store(let url, _): url.description
        case .rabbitMQ(let url): url.description
        }
    }

    /// Makes the broker; nothing is asked of a store yet, and RabbitMQ is connected to in the background.
    ///
    /// - Parameter opening: What the URL does not say.
    /// - Returns: The broker, which is to be closed.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`, or `denied` for a password file that cannot be read.
    public func open(_ opening: BrokerOpening) throws(MessageLogError) -> any Broker {
        switch place {
        case .rabbitMQ(let url): return try url.open(logger: opening.logger)
        case .store(let url, let layout):
            let store: any ObjectStore
            do throws(ObjectStoreError) {
                store = try url.open(
                    credentials: opening.credentials, region: opening.region, logger: opening.logger)
            } catch {
                throw MessageLogError(error, "cannot use \(url)")
            }
            switch layout ?? opening.layout {
            case .log:
                return try LogBroker(store: store, prefix: url.prefix, options: opening.log, logger: opening.logger)
            case .legacy:
                return try LegacyBroker(
                    store: store, prefix: url.prefix, options: opening.legacy, logger: opening.logger)
            }
        }
    }
}

extension BrokerURL: CustomDebugStringConvertible, CustomReflectable {
    /// The same as `description`: a password is left out of dumps too.
    public var debugDescription: String { description }

    /// A mirror without a password.
    public var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}

/// What a broker's URL does not say.
public struct BrokerOpening: Sendable {
    /// How messages lie in a store whose URL names no layout.
    public var layout: BrokerLayout
    /// How logs are written and read.
    public var log: LogOptions
    /// How the legacy layout is written and read.
    public var legacy: LegacyOptions
    /// Where S3's credentials come from; `nil` for the variables and files that Amazon's tools read.
    public var credentials: S3CredentialSource?
    /// The region of buckets whose URL names none.
    public var region: String?
    /// Where brokers report.
    public var logger: Logger

    /// Describes how brokers are opened.
    public init(
        layout: BrokerLayout = .log, log: LogOptions = LogOptions(), legacy: LegacyOptions = LegacyOptions(),
        credentials: S3CredentialSource? = nil, region: String? = nil, logger: Logger
    ) {
        self.layout = layout
        self.log = log
        self.legacy = legacy
        self.credentials = credentials
        self.region = region
        self.logger = logger
    }
}
