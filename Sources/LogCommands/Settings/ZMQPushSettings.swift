package import CommandKit
package import LogTransport
package import SystemPackage
package import ZeroMQ
internal import ArgumentParser
internal import Glibc

/// The settings of `zmqpush`: its options, `LIBRA_ZMQPUSH_…` in the environment, and keys of `[zmqpush]` in a file.
package enum ZMQPushSettings {
    package static let type = Setting("zmqpush", "type", .string, default: "syslog")
    package static let connect = Setting("zmqpush", "connect", .list(of: .endpoint), default: [])
    package static let encoding = Setting("zmqpush", "encoding", .choice, default: LineEncoding.replace)
    package static let emptyTopic = Setting("zmqpush", "empty_topic", .boolean, default: false)
    package static let curveServer = Setting("zmqpush", "curve_server", .path)
    package static let relay = RelaySettings(section: "zmqpush")
    package static let logging = LoggingSettings(section: "zmqpush")

    package static let schema = SettingsSchema(
        [type, connect, encoding, emptyTopic, curveServer] + relay.all + logging.all,
        foreignSections: ["hayrack", "core", "logging"], exemptVariables: ["LIBRA_TEST_"])

    /// Where it connects when nothing else is said.
    package static let defaultEndpoint = "tcp://127.0.0.1:5014"

    /// Where it connects.
    ///
    /// - Parameter settings: The loaded settings.
    /// - Returns: The endpoints; at least one.
    /// - Throws: A ``CommandError`` when one of them can only be bound.
    package static func endpoints(_ settings: Settings) throws(CommandError) -> [Endpoint] {
        let endpoints = settings[connect]
        if let wildcard = endpoints.first(where: \.isWildcard) {
            var faults = SettingFaults(settings)
            faults.add([connect], wildcard.cannotConnect)
            try faults.throwIfAny()
        }
        guard endpoints.isEmpty else { return endpoints }
        do throws(ZeroMQError) {
            return [try Endpoint(defaultEndpoint)]
        } catch {
            throw CommandError(.configuration, error.message, cause: error)
        }
    }

    /// What lines become.
    ///
    /// - Parameter settings: The loaded settings.
    /// - Returns: The form.
    package static func form(_ settings: Settings) -> LineForm {
        var form = LineForm()
        form.envelope = LineForm.Envelope(
            type: settings[type], processID: getpid(), encoding: settings[encoding])
        return form
    }

    /// How lines travel.
    ///
    /// - Parameter settings: The loaded settings.
    /// - Returns: The plan.
    /// - Throws: A ``CommandError`` when settings do not go together.
    package static func plan(_ settings: Settings) throws(CommandError) -> RelayPlan {
        let plan = try RelayPlan(settings, relay, form: form(settings))
        guard settings[emptyTopic] else { return plan }
        var faults = SettingFaults(settings)
        if plan.delivery == .reliable {
            faults.add([emptyTopic], "is for receivers of plain messages, and not for --delivery reliable")
        } else if plan.batch != nil {
            faults.add([emptyTopic], "is for receivers of one message a line, and not for --batch")
        }
        try faults.throwIfAny()
        return plan
    }
}
