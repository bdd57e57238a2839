package import CommandKit
package import LogTransport
package import SystemPackage
package import ZeroMQ
internal import Logging

/// The settings of `hayrack receive`, which come from its command line alone.
package enum ReceiveSettings {
    package static let endpoints = Setting("receive", "endpoints", .list(of: .endpoint), default: [])
    package static let delivery = Setting("receive", "delivery", .choice, default: ReceiverOptions.Delivery.push)
    package static let count = Setting("receive", "count", .integer(1...Int.max))
    package static let output = Setting("receive", "output", .path)
    package static let curveKey = Setting("receive", "curve_key", .path)
    package static let curveServer = Setting("receive", "curve_server", .path)
    package static let curveAllow = Setting("receive", "curve_allow", .path)
    package static let logging = LoggingSettings(section: "receive")

    package static let schema = SettingsSchema(
        [endpoints, delivery, count, output, curveKey, curveServer, curveAllow] + logging.all, isPartial: true)

    /// Where to receive, and how.
    ///
    /// - Parameters:
    ///   - settings: The loaded settings.
    ///   - binds: Whether the receiver listens, and senders connect.
    ///   - showsIDs: Whether ids are wanted, which only reliable delivery has.
    /// - Returns: The options.
    /// - Throws: A ``CommandError`` when settings do not go together, or a key file cannot be used.
    package static func options(
        _ settings: Settings, binds: Bool, showsIDs: Bool
    ) throws(CommandError) -> ReceiverOptions {
        var faults = SettingFaults(settings)
        if settings[endpoints].isEmpty { faults.add("an endpoint is missing, as in tcp://127.0.0.1:5000") }
        if showsIDs && settings[delivery] == .push {
            faults.add("--ids: only messages of --delivery reliable have an id")
        }
        if !binds, let wildcard = settings[endpoints].first(where: \.isWildcard) {
            faults.add("\(wildcard.cannotConnect), or listen there with --bind")
        }
        if binds {
            faults.add(
                [curveServer], "is for a receiver that connects; one that binds names its senders: --curve-allow")
        } else {
            faults.add([curveAllow], "is for a receiver that binds; one that connects names its server: --curve-server")
        }
        try faults.throwIfAny()
        var options = ReceiverOptions(
            connect: binds ? [] : settings[endpoints], bind: binds ? settings[endpoints] : [])
        options.delivery = settings[delivery]
        options.curve =
            binds
            ? try CurveSettings.server(settings, key: curveKey, allow: curveAllow)
            : try CurveSettings.client(settings, key: curveKey, server: curveServer)
        return options
    }
}
