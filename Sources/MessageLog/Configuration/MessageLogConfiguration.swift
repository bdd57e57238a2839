public import CivilTime
public import Logging
public import SystemPackage

/// Where messages are and how they are sent and read: what `etc/muskrat.cfg` has, as a value.
///
/// ```swift
/// var configuration = MessageLogConfiguration()
/// configuration.s3Bucket = "events"
/// let producer = try Producer(routingKey: "Frontend.Customer.Signup", configuration: configuration)
/// ```
public struct MessageLogConfiguration: Sendable {
    /// URLs of brokers (``BrokerURL``), `brokers` in the file.
    ///
    /// When there is none: S3 if ``s3Bucket`` is set, RabbitMQ if ``host`` is, else the folder ``MessageLogFolders/standard``.
    public var brokers: [String]
    /// How messages lie in stores whose URL names no layout.
    public var layout: BrokerLayout

    /// The access key of S3; `nil` for the variables and files that Amazon's tools read.
    public var s3Key: String?
    /// The secret of ``s3Key``; it is shown nowhere.
    public var s3Secret: String?
    /// The bucket of the old configuration files.
    public var s3Bucket: String?
    /// `HOST`, `HOST:PORT`, or `http://HOST:PORT`, of a store other than Amazon's.
    public var s3Host: String?
    /// The region of buckets whose URL names none.
    public var s3Region: String?
    /// Whether the bucket stands in the path of a URL rather than in its host name; `nil`: when ``s3Host`` is set.
    public var s3PathStyle: Bool?
    /// A PEM file with the certificate authorities to trust; `nil` for the system's.
    public var s3AuthorityFile: FilePath?
    /// A folder of the bucket under which all is.
    public var s3Prefix: String?
    /// How the legacy layout names objects.
    public var s3TimestampFormat: TimeFormat

    /// The folder in which consumers keep how far they are (`s3_cursor.location`, with the type `file`); `nil`: with the
    /// messages.
    public var cursorFolder: FilePath?

    /// `HOST` or `HOST:PORT` of RabbitMQ, or a URL of it.
    public var host: String?
    /// RabbitMQ's topic exchange, for ``host``.
    public var exchangeName: String

    /// How messages are sent: `timeformat`, `batch_…`, `max_in_flight` and `spool…` in the file.
    public var producing: ProducerOptions

    /// What an empty file says.
    public init() {
        brokers = []
        layout = .log
        s3TimestampFormat = .standard
        exchangeName = RabbitMQOptions().exchange
        producing = ProducerOptions()
    }

    /// The brokers that are named, or those that follow from what else is set; at least one.
    ///
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    public var brokerURLs: [BrokerURL] {
        get throws(MessageLogError) {
            var urls: [BrokerURL] = []
            for text in brokers.isEmpty ? [try standardBroker] : brokers { urls.append(try BrokerURL(text)) }
            return urls
        }
    }

    /// What brokers' URLs do not say.
    ///
    /// - Parameter logger: Where brokers report.
    /// - Returns: What to open them with.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument` when only one of key and secret is set.
    public func opening(logger: Logger) throws(MessageLogError) -> BrokerOpening {
        var opening = BrokerOpening(layout: layout, region: s3Region, logger: logger)
        opening.legacy.timestampFormat = s3TimestampFormat
        opening.credentials = try credentials
        return opening
    }

    /// Opens the brokers.
    ///
    /// - Parameter logger: Where they report; `nil` for that of ``producing``.
    /// - Returns: The brokers, which are to be closed; at least one.
    /// - Throws: ``MessageLogError``.
    public func openBrokers(logger: Logger? = nil) throws(MessageLogError) -> [any Broker] {
        let opening = try opening(logger: logger ?? producing.logger)
        var opened: [any Broker] = []
        for url in try brokerURLs { opened.append(try url.open(opening)) }
        return opened
    }

    /// How consumers read, with the cursor where the configuration puts it.
    public var reading: ReaderOptions { ReaderOptions(cursorFolder: cursorFolder?.string) }
}
