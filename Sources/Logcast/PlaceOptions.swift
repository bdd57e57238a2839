import ArgumentParser
import CommandKit
import LogBroadcast
import SystemPackage

/// Where the broadcast is: `--url`, else LIBRA_BROADCAST_URL, else `[broadcast] url` of the configuration file.
struct PlaceOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp(
            """
            Where the broadcast is: amqp://USER@HOST/VHOST, amqps://…, or tcp://HOST:PORT; may be repeated for tcp. \
            (default: [broadcast] url in the configuration, else amqp://localhost)
            """,
            discussion: "A password here is seen by every user of the host: put it in the configuration."))
    var url: [String] = []

    @Option(name: .shortAndLong, help: "The configuration file. (default: /etc/libra/libra.cfg, if it is there)")
    var config: String?

    /// The places, at least one.
    ///
    /// - Throws: `CommandError` for what is no URL, and for a configuration that cannot be read.
    func urls() throws(CommandError) -> [BroadcastURL] {
        // A file that is named is read in any case: it is a mistake when it cannot be.
        let configured = url.isEmpty || config != nil ? try configuredURL() : nil
        let texts = url.isEmpty ? [configured ?? "amqp://localhost"] : url
        var urls: [BroadcastURL] = []
        for text in texts {
            do throws(LogBroadcastError) {
                urls.append(try BroadcastURL(text))
            } catch {
                throw CommandError(url.isEmpty ? .configuration : .usage, error.message, cause: error)
            }
        }
        return urls
    }

    private func configuredURL() throws(CommandError) -> String? {
        let setting = Setting("broadcast", "url", .secret)
        let settings = try SettingsSchema([setting], isPartial: true).load(
            file: FilePath(config ?? "/etc/libra/libra.cfg"), fileMustExist: config != nil)
        for warning in settings.warnings { Logcast.say("warning: \(warning)") }
        return settings[setting]?.reveal()
    }
}
