internal import ArgumentParser
internal import CommandKit
internal import MessageLog

/// `muskrat retain`: the oldest messages go.
struct RetainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retain",
        abstract: "Remove the oldest messages: those that are too old, and those that are too many.",
        discussion: """
            What a cursor has still to read stays, unless --force is given; so does what was written in the last hour, and \
            the newest segment of each key. Sequence numbers are never used again.
            """)

    @Argument(help: "Which keys, with * for one word and # for any number.") var pattern = "#"
    @Option(help: ArgumentHelp("Remove what is older: 12h, 30d.", valueName: "time")) var age: TimeSpan?
    @Option(help: ArgumentHelp("Keep at most so much of each key: 500MiB, 10GiB.", valueName: "size")) var size:
        ByteSize?
    @Flag(help: "Also remove what a cursor has still to read.") var force = false
    @Flag(help: "Only say what would go.") var dryRun = false
    @OptionGroup var place: PlaceArguments
    @OptionGroup var cursorPlace: CursorPlaceArguments

    mutating func validate() throws {
        if age == nil, size == nil { throw ValidationError("one of --age and --size is needed") }
    }

    func run() async throws {
        let keys = try LogKeys(pattern, place, cursorPlace, for: "remove messages from")
        let policy = RetentionPolicy(
            maximumAge: age?.duration, maximumBytes: size?.bytes, passesCursors: force, isTrial: dryRun)
        let table = try await forCommand { () throws(MessageLogError) in
            var table = Table([
                .init("KEY"), .init("SEGMENTS GONE", isRightAligned: true),
                .init("MESSAGES GONE", isRightAligned: true), .init("BYTES GONE", isRightAligned: true),
                .init("OLDEST LEFT", isRightAligned: true), .init("HELD BACK BY"),
            ])
            for key in try await keys.all() {
                let report = try await keys.log.retain(key, policy, cursorsIn: keys.cursorFolder)
                table.append([
                    .init("\(key)"), .init("\(report.segments)"), .init("\(report.messages)"), .init("\(report.bytes)"),
                    .init("\(report.firstSequence)"), .init(report.heldBackBy.map { "\($0)" } ?? ""),
                ])
            }
            return table
        }
        await keys.log.close()
        Terminal.output.write(table.drawn(for: .output))
    }
}
