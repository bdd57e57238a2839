package import CommandKit
package import LogTransport
package import Spool
internal import ArgumentParser
internal import SystemPackage

/// How lines travel from standard input to the outlet, as the settings have it, checked as a whole.
package struct RelayPlan: Sendable {
    /// How messages travel.
    package let delivery: Delivery
    /// How many lines go in one message; nil for one message a line without framing.
    package let batch: Int?
    /// How many messages may wait for a peer.
    package let highWaterMark: Int
    /// What happens between input and outlet.
    package let options: RelayOptions
    /// What is kept on disk; nil for nothing.
    package let spool: SpoolOptions?
    /// What is to be said of lines that are cut though nobody asked for that; nil when nothing is.
    package let notice: String?

    /// A linger without a limit, as a duration that nobody waits for.
    package static let forever = Duration.seconds(100 * 365 * 86_400)

    /// Puts the settings together.
    ///
    /// - Parameters:
    ///   - settings: The loaded settings.
    ///   - names: The program's own.
    ///   - linger: The linger when the settings of `names` do not say it.
    ///   - form: What lines become.
    /// - Throws: A ``CommandError`` with a line for each pair of settings that do not go together.
    package init(
        _ settings: Settings, _ names: RelaySettings, linger: Linger? = nil, form: LineForm = LineForm()
    ) throws(CommandError) {
        delivery = settings[names.delivery]
        switch (settings[names.batch], delivery) {
        case (1?, .push), (nil, .push): batch = nil
        case (let count?, _): batch = count
        case (nil, .reliable): batch = RelaySettings.reliableBatch
        }
        let mark = settings[names.highWaterMark]
        highWaterMark = mark == 0 ? RelaySettings.defaultHighWaterMark : mark

        var options = RelayOptions()
        options.maximumLine = settings[names.maximumLine].bytes
        options.keepsNewline = form.keepsNewline
        let chosen = settings.isSet(names.linger) ? settings[names.linger] : linger ?? settings[names.linger]
        options.linger = chosen.limit ?? Self.forever
        options.whenFull = RelayOptions.WhenFull(rawValue: settings[names.whenFull].rawValue) ?? .block
        options.confirms = settings[names.confirms]
        let spool = settings[names.spool].map {
            SpoolOptions(
                directory: $0, limit: settings[names.spoolLimit].bytes, sync: settings[names.sync],
                whenFull: settings[names.whenFull])
        }
        try Self.check(settings, names, options, spool: spool, form: form)
        let longest = spool.map { form.longestLine(in: $0.maximumRecord) } ?? .max
        if let spool, longest < options.maximumLine {
            options.maximumLine = longest
            notice =
                "lines of more than \(longest) bytes are cut, as the spool's limit is \(ByteSize(bytes: spool.limit)): "
                + "a limit of \(Self.limit(for: settings[names.maximumLine].bytes, form)) takes lines of "
                + "\(settings[names.maximumLine])"
        } else {
            notice = nil
        }
        self.options = options
        self.spool = spool
    }

    /// The least limit of a spool that takes lines of so many bytes, whatever they hold.
    private static func limit(for line: Int, _ form: LineForm) -> ByteSize {
        let bytes = form.longestForm(ofLine: line) * 8
        return ByteSize(bytes: (bytes + 1023) / 1024 * 1024)
    }

    /// Refuses what does not go together.
    private static func check(
        _ settings: Settings, _ names: RelaySettings, _ options: RelayOptions, spool: SpoolOptions?, form: LineForm
    ) throws(CommandError) {
        var faults = SettingFaults(settings)
        let hasSpool = spool != nil
        let longest = settings[names.maximumLine]
        // A default gives way to what the spool takes; what was asked for does not.
        if let spool, settings.isSet(names.maximumLine),
            form.longestLine(in: spool.maximumRecord) < longest.bytes
        {
            let most = form.longestLine(in: SpoolOptions.longestRecord)
            if longest.bytes > most {
                faults.add([names.maximumLine], "no spool holds such lines whatever is in them: name \(most)B or less")
            } else {
                faults.add(
                    [names.spoolLimit, names.maximumLine],
                    "for lines of \(longest) the spool's limit has to be \(Self.limit(for: longest.bytes, form)) or more; "
                        + "\(ByteSize(bytes: spool.limit)) holds lines of "
                        + "\(form.longestLine(in: spool.maximumRecord))B")
            }
        }
        if !hasSpool, options.whenFull != .block, options.queueLimit < longest.bytes {
            faults.add(
                [names.maximumLine],
                "what \(settings[names.whenFull]) drops from is a queue of \(ByteSize(bytes: options.queueLimit)) in memory: "
                    + "name no more than that, or name a spool")
        }
        if !hasSpool {
            faults.add(
                [names.spoolLimit, names.sync], "means nothing without a spool: name its folder with --spool")
        }
        if settings[names.confirms] {
            if !hasSpool && settings[names.delivery] == .push {
                faults.add(
                    [names.confirms],
                    "needs --spool or --delivery reliable: what is pushed without either is never known to be safe")
            }
            if settings[names.whenFull] != .block {
                faults.add(
                    [names.whenFull], "does not go with --confirm, which says OK only for what is kept: use block")
            }
        }
        try faults.throwIfAny()
    }
}

/// Faults that show only when settings are looked at together.
package struct SettingFaults {
    private let settings: Settings
    private var messages: [String] = []
    private var isUsage = true

    /// Begins with none.
    ///
    /// - Parameter settings: The loaded settings.
    package init(_ settings: Settings) { self.settings = settings }

    /// Notes what is wrong with those of the settings that somebody set.
    ///
    /// - Parameters:
    ///   - names: The settings.
    ///   - problem: What is wrong, to follow a setting's place.
    package mutating func add(_ names: [any DeclaredSetting], _ problem: String) {
        for name in names {
            guard let origin = settings.origin(of: name) else { continue }
            add("\(origin): \(problem)", isUsage: origin.hasPrefix("--"))
        }
    }

    /// Notes what is wrong.
    ///
    /// - Parameters:
    ///   - message: What it is.
    ///   - isUsage: Whether the command line has it, and not the configuration.
    package mutating func add(_ message: String, isUsage: Bool = true) {
        messages.append(message)
        self.isUsage = self.isUsage && isUsage
    }

    /// Ends the command when there are faults.
    package func throwIfAny() throws(CommandError) {
        guard !messages.isEmpty else { return }
        throw CommandError(isUsage ? .usage : .configuration, messages: messages)
    }
}
