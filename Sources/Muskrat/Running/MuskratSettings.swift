internal import CivilTime
internal import CommandKit
internal import MessageLog
internal import SystemPackage

/// The settings of `muskrat`: what stands in `etc/muskrat.cfg`, in the environment and on the command line.
enum MuskratSettings {
    static let brokers = Setting("muskrat", "brokers", .secret)
    static let layout = Setting("muskrat", "layout", .choice, default: BrokerLayout.log)
    static let name = Setting("muskrat", "name", .word, default: "default")

    static let s3Key = Setting("muskrat", "s3_key", .secret)
    static let s3Secret = Setting("muskrat", "s3_secret", .secret)
    static let s3Bucket = Setting("muskrat", "s3_bucket", .word)
    static let s3Host = Setting("muskrat", "s3_host", .word)
    static let s3Region = Setting("muskrat", "s3_region", .word)
    static let s3PathStyle = Setting("muskrat", "s3_path_style", .boolean)
    static let s3AuthorityFile = Setting("muskrat", "s3_cacertfile", .path)
    static let s3Prefix = Setting("muskrat", "s3_prefix", .word)
    static let s3TimestampFormat = Setting(
        "muskrat", "s3_timestamp_format", .timeFormat, default: TimeFormat.standard)
    static let cursorType = Setting("muskrat", "s3_cursor.type", .choice, default: CursorPlace.store)
    static let cursorLocation = Setting("muskrat", "s3_cursor.location", .path)
    static let timeFormat = Setting("muskrat", "timeformat", .timeFormat)
    static let host = Setting("muskrat", "host", .word)
    static let exchangeName = Setting("muskrat", "exchange_name", .word, default: RabbitMQOptions().exchange)

    static let batchBytes = Setting(
        "muskrat", "batch_bytes", .byteSize(ByteSize(bytes: 1)...ByteSize(bytes: 8 << 20)),
        default: ByteSize(bytes: 2 << 20))
    static let batchCount = Setting("muskrat", "batch_count", .integer(1...10_000_000), default: 100_000)
    static let batchInterval = Setting(
        "muskrat", "batch_interval", .timeSpan(TimeSpan(.zero)...TimeSpan(.seconds(3600))),
        default: TimeSpan(.milliseconds(250)))
    static let maxInFlight = Setting("muskrat", "max_in_flight", .integer(1...1000), default: 20)
    static let patience = Setting(
        "muskrat", "patience", .timeSpan(TimeSpan(.milliseconds(100))...TimeSpan(.seconds(86_400 * 30))))
    static let spooling = Setting("muskrat", "spooling", .choice, default: ProducerOptions().spooling)
    static let spool = Setting("muskrat", "spool", .path)
    static let spoolLimit = Setting(
        "muskrat", "spool_limit", .byteSize(ByteSize(bytes: 16 << 20)...ByteSize(bytes: 1 << 50)),
        default: ByteSize(bytes: 1 << 30))

    static let schema = SettingsSchema(
        [
            brokers, layout, name, s3Key, s3Secret, s3Bucket, s3Host, s3Region, s3PathStyle, s3AuthorityFile, s3Prefix,
            s3TimestampFormat, cursorType, cursorLocation, timeFormat, host, exchangeName, batchBytes, batchCount,
            batchInterval, maxInFlight, patience, spooling, spool, spoolLimit,
        ],
        exemptVariables: ["LIBRA_TEST_"])

    static let defaultFile: FilePath = "/etc/muskrat/muskrat.cfg"
}

/// Where consumers keep how far they are.
enum CursorPlace: String, CaseIterable {
    case file
    case store
}

extension ValueKind where Value == TimeFormat {
    /// A format of times.
    static var timeFormat: ValueKind<TimeFormat> {
        .parsed("a format of times with directives of strftime(3), as in '%Y-%m-%dT%H:%M:%S.%f'") {
            try? TimeFormat($0)
        } format: {
            $0.description
        }
    }
}
