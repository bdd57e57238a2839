package import ArgumentParser
package import CommandKit

/// The options that `hayrack serve` and `zmqpush` share.
package struct RelayArguments: ParsableArguments {
    @Option(help: "How messages travel: push (at most once) or reliable (at least once). (default: push)")
    package var delivery: String?
    @Option(help: "Pack up to this many lines into one ZeroMQ message. (default: 1; 500 with reliable delivery)")
    package var batch: String?
    @Option(help: "The high-water mark: how many messages may wait for a peer. (default: 20000)")
    package var hwm: String?
    @Option(help: "How long to wait at the end for a peer to take what is left: 30s, 500ms, forever. (default: 30s)")
    package var linger: String?
    @Option(help: "The longest line; what is longer is cut, and counted. (default: 1MiB)")
    package var maxLine: String?
    @Option(help: ArgumentHelp("Keep what waits in this folder, over restarts too.", valueName: "folder"))
    package var spool: String?
    @Option(help: ArgumentHelp("How much may wait in the spool. (default: 1GiB)", valueName: "size"))
    package var spoolLimit: String?
    @Option(help: "When the spool survives a loss of power: always, interval=5ms, never. (default: interval=5ms)")
    package var sync: String?
    @Option(help: "When there is no room: block, drop-oldest or drop-newest. (default: block)")
    package var whenFull: String?
    @Flag(help: "Say OK on standard output for each line that is safe: rsyslog's confirmMessages.")
    package var confirm = false
    @Option(help: ArgumentHelp("The CURVE key of this side, from 'hayrack keygen'.", valueName: "file"))
    package var curveKey: String?

    package init() {}

    /// Gives the settings what was given here.
    ///
    /// - Parameters:
    ///   - settings: The program's settings.
    ///   - given: Where it goes.
    package func fill(_ settings: RelaySettings, in given: inout CommandLineValues) {
        given.set(settings.delivery, to: delivery, option: "--delivery")
        given.set(settings.batch, to: batch, option: "--batch")
        given.set(settings.highWaterMark, to: hwm, option: "--hwm")
        given.set(settings.linger, to: linger, option: "--linger")
        given.set(settings.maximumLine, to: maxLine, option: "--max-line")
        given.set(settings.spool, to: spool, option: "--spool")
        given.set(settings.spoolLimit, to: spoolLimit, option: "--spool-limit")
        given.set(settings.sync, to: sync, option: "--sync")
        given.set(settings.whenFull, to: whenFull, option: "--when-full")
        given.set(settings.confirms, ifGiven: confirm, option: "--confirm")
        given.set(settings.curveKey, to: curveKey, option: "--curve-key")
    }
}
