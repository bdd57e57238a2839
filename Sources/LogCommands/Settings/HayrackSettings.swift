package import CommandKit
internal import LogTransport
package import SystemPackage
package import ZeroMQ

/// The settings of `hayrack serve`: what stands in `etc/hayrack.conf`, in the environment and on the command line.
package enum HayrackSettings {
    package static let bind = Setting("hayrack", "bind", .list(of: .endpoint), default: [])
    package static let keepNewline = Setting("hayrack", "keep_newline", .boolean, default: false)
    package static let curveAllow = Setting("hayrack", "curve_allow", .path)
    package static let relay = RelaySettings(
        section: "hayrack", oldHighWaterMark: [SettingPlace("core", "zmq_hwm")])

    // As the old tool had them.
    package static let host = Setting("core", "zmq_bind_host", .word, default: "127.0.0.1")
    package static let port = Setting("core", "zmq_bind_port", .integer(1...65_535), default: 5000)
    package static let lingerMilliseconds = Setting(
        "core", "zmq_linger", .lingerInMilliseconds, default: .atMost(TimeSpan(.seconds(30))))
    package static let logging = LoggingSettings(section: "logging")

    package static let schema = SettingsSchema(
        [bind, keepNewline, curveAllow, host, port, lingerMilliseconds] + relay.all + logging.all,
        foreignSections: ["zmqpush"], exemptVariables: ["LIBRA_TEST_"])

    /// The file that is read when no other is named and it is there.
    package static let defaultFile: FilePath = "/etc/hayrack/hayrack.conf"

    /// Where the server binds: `bind`, or the host and port of old files.
    ///
    /// - Parameter settings: The loaded settings.
    /// - Returns: The endpoints; at least one.
    /// - Throws: A ``CommandError`` when the old host is none.
    package static func endpoints(_ settings: Settings) throws(CommandError) -> [Endpoint] {
        let endpoints = settings[bind]
        guard endpoints.isEmpty else { return endpoints }
        let name = settings[host]
        let isAddress6 = name.contains(":") && !name.hasPrefix("[")
        do throws(ZeroMQError) {
            return [try Endpoint("tcp://\(isAddress6 ? "[\(name)]" : name):\(settings[port])")]
        } catch {
            var faults = SettingFaults(settings)
            faults.add([host], error.message)
            try faults.throwIfAny()
            return []
        }
    }

    /// How lines travel.
    ///
    /// - Parameter settings: The loaded settings.
    /// - Returns: The plan.
    /// - Throws: A ``CommandError`` when settings do not go together.
    package static func plan(_ settings: Settings) throws(CommandError) -> RelayPlan {
        try RelayPlan(
            settings, relay, linger: settings[lingerMilliseconds], form: LineForm(keepsNewline: settings[keepNewline]))
    }
}
