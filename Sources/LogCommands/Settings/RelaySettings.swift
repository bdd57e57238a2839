package import CommandKit
package import Spool
package import SystemPackage

/// The settings that `hayrack serve` and `zmqpush` share: each is an option of that name, and a key of the program's
/// section.
package struct RelaySettings: Sendable {
    package let delivery: Setting<Delivery>
    package let batch: Setting<Int?>
    package let highWaterMark: Setting<Int>
    package let linger: Setting<Linger>
    package let maximumLine: Setting<ByteSize>
    package let spool: Setting<FilePath?>
    package let spoolLimit: Setting<ByteSize>
    package let sync: Setting<SyncPolicy>
    package let whenFull: Setting<WhenFull>
    package let confirms: Setting<Bool>
    package let curveKey: Setting<FilePath?>

    /// The bound that holds when `hwm` is 0, which meant "unlimited" in old files.
    package static let defaultHighWaterMark = 20_000
    /// How many lines go in one message of reliable delivery, unless something else is asked for.
    package static let reliableBatch = 500
    /// The longest line.
    package static let defaultMaximumLine = ByteSize(bytes: 1 << 20)
    /// How much a spool may hold.
    package static let defaultSpoolLimit = ByteSize(bytes: 1 << 30)

    /// Declares the settings.
    ///
    /// - Parameters:
    ///   - section: The program's section.
    ///   - oldHighWaterMark: Where the high-water mark stands in old files.
    package init(section: String, oldHighWaterMark: [SettingPlace] = []) {
        delivery = Setting(section, "delivery", .choice, default: .push)
        batch = Setting(section, "batch", .integer(1...10_000))
        highWaterMark = Setting(
            section, "hwm", .integer(0...1_000_000), default: Self.defaultHighWaterMark, otherPlaces: oldHighWaterMark)
        linger = Setting(section, "linger", .linger, default: .atMost(TimeSpan(.seconds(30))))
        maximumLine = Setting(
            section, "max_line", .byteSize(ByteSize(bytes: 16)...ByteSize(bytes: 16 << 20)),
            default: Self.defaultMaximumLine)
        spool = Setting(section, "spool", .path)
        spoolLimit = Setting(
            section, "spool_limit", .byteSize(ByteSize(bytes: SpoolOptions.minimumLimit)...ByteSize(bytes: 1 << 50)),
            default: Self.defaultSpoolLimit)
        sync = Setting(section, "sync", .sync, default: .interval(.milliseconds(5)))
        whenFull = Setting(section, "when_full", .choice, default: .block)
        confirms = Setting(section, "confirm", .boolean, default: false)
        curveKey = Setting(section, "curve_key", .path)
    }

    /// All of them, for a schema.
    package var all: [any DeclaredSetting] {
        [
            delivery, batch, highWaterMark, linger, maximumLine, spool, spoolLimit, sync, whenFull, confirms, curveKey,
        ]
    }
}
