internal import ArgumentParser
internal import CivilTime
internal import CommandKit
internal import MessageLog

/// `muskrat cursors`: how far consumers are.
struct CursorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cursors",
        abstract: "Show and move cursors: how far the consumers of a name are with a key.",
        discussion: "RabbitMQ keeps track of its consumers itself.",
        subcommands: [List.self, Show.self, Set.self, Copy.self, Delete.self], defaultSubcommand: List.self)

    /// `muskrat cursors list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the cursors of all keys, or of those that match.",
            discussion: """
                A cursor that has long not moved keeps 'muskrat retain' from removing what it has still to read: \
                'muskrat cursors delete' ends that, when nobody reads by its name any more.
                """)

        @Argument(help: "Which keys, with * for one word and # for any number.") var pattern = "#"
        @OptionGroup var place: PlaceArguments
        @OptionGroup var cursorPlace: CursorPlaceArguments

        func run() async throws {
            let wanted = try forArguments { () throws(MessageLogError) in try RoutingPattern(pattern) }
            let shelf = try CursorPlaces(place, cursorPlace)
            try await shelf.show(try await shelf.all(wanted))
        }
    }

    /// `muskrat cursors show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one cursor.")

        @OptionGroup var which: CursorArguments
        @OptionGroup var place: PlaceArguments
        @OptionGroup var cursorPlace: CursorPlaceArguments

        func run() async throws {
            let shelf = try CursorPlaces(place, cursorPlace)
            let (key, name) = try which.checked(shelf)
            let cursor = try await forCommand { () throws(MessageLogError) in
                try await shelf.keeper.cursor(name, of: key, in: shelf.folder)
            }
            try await shelf.show(key, cursor)
        }
    }

    /// `muskrat cursors set`.
    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Set a cursor, to replay or to skip messages, or make one.",
            discussion:
                "A consumer that reads by it is taken aback at its next commit, and goes on where it was set to.")

        @OptionGroup var which: CursorArguments
        @Argument(help: ArgumentHelp("Where it is to stand: \(StartPoint.words).", valueName: "where"))
        var start: StartPoint
        @OptionGroup var place: PlaceArguments
        @OptionGroup var cursorPlace: CursorPlaceArguments

        func run() async throws {
            let shelf = try CursorPlaces(place, cursorPlace)
            let (key, name) = try which.checked(shelf)
            let cursor = try await forCommand { () throws(MessageLogError) in
                let pattern = RoutingPattern(key)
                if try await shelf.keeper.keys(matching: pattern).isEmpty {
                    tellOfMissingKeys(pattern, at: shelf.keeper)
                }
                return try await shelf.keeper.setCursor(name, of: key, in: shelf.folder, to: start.start)
            }
            try await shelf.show(key, cursor)
        }
    }

    /// `muskrat cursors copy`.
    struct Copy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "copy", abstract: "Have the consumers of one name stand where those of another one do.")

        @Argument(help: "The key.") var key: String
        @Argument(help: "The name whose cursor is copied.") var from: String
        @Argument(help: "The name that gets one.") var to: String
        @OptionGroup var place: PlaceArguments
        @OptionGroup var cursorPlace: CursorPlaceArguments

        func run() async throws {
            let shelf = try CursorPlaces(place, cursorPlace)
            let (wanted, names) = try forArguments { () throws(MessageLogError) in
                (try RoutingKey(key), (try ConsumerName(from), try ConsumerName(to)))
            }
            let cursor = try await forCommand { () throws(MessageLogError) in
                try await shelf.keeper.copyCursor(names.0, to: names.1, of: wanted, in: shelf.folder)
            }
            try await shelf.show(wanted, cursor)
        }
    }

    /// `muskrat cursors delete`.
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Delete a cursor: consumers of its name begin anew.")

        @OptionGroup var which: CursorArguments
        @OptionGroup var place: PlaceArguments
        @OptionGroup var cursorPlace: CursorPlaceArguments

        func run() async throws {
            let shelf = try CursorPlaces(place, cursorPlace)
            let (key, name) = try which.checked(shelf)
            try await forCommand { () throws(MessageLogError) in
                try await shelf.keeper.deleteCursor(name, of: key, in: shelf.folder)
            }
            await shelf.keeper.close()
        }
    }
}

/// Which cursor, on the command line.
struct CursorArguments: ParsableArguments {
    @Argument(help: "The key.") var key: String
    @Option(help: "The consumer's name. (default: default)") var name: String?

    /// The key and the name.
    ///
    /// - Throws: `CommandError` with exit code 64.
    func checked(_ shelf: CursorPlaces) throws(CommandError) -> (RoutingKey, ConsumerName) {
        try forArguments { () throws(MessageLogError) in
            (try RoutingKey(key), try ConsumerName(name ?? shelf.consumerName))
        }
    }
}

/// Where cursors are, and how they are shown.
struct CursorPlaces {
    let keeper: any CursorKeeper
    /// The folder that they are kept in; nil for those beside the messages.
    let folder: String?
    let consumerName: String

    init(_ place: PlaceArguments, _ cursors: CursorPlaceArguments) throws(CommandError) {
        let settings = try place.load(cursors.given)
        let broker = try settings.openOne()
        guard let keeper = broker as? any CursorKeeper else {
            throw CommandError(
                .usage, "\(broker) keeps track of its consumers itself: it has no cursors to show or move")
        }
        self.keeper = keeper
        folder = settings.reading.cursorFolder
        consumerName = settings.consumerName
    }

    /// The cursors of all keys that match.
    func all(_ pattern: RoutingPattern) async throws(CommandError) -> [(RoutingKey, CursorReading)] {
        try await forCommand { () throws(MessageLogError) in
            var found: [(RoutingKey, CursorReading)] = []
            let keys = try await keeper.keys(matching: pattern)
            if keys.isEmpty { tellOfMissingKeys(pattern, at: keeper) }
            for key in keys {
                for cursor in try await keeper.cursorReadings(of: key, in: folder) { found.append((key, cursor)) }
            }
            return found
        }
    }

    /// Prints a cursor as a table, and closes the broker.
    func show(_ key: RoutingKey, _ cursor: CursorInfo) async throws(CommandError) {
        try await show([(key, CursorReading(name: cursor.name, info: .success(cursor)))])
    }

    /// Prints cursors as a table, and closes the broker.
    ///
    /// - Throws: `CommandError` with exit code 1, after the table, for those that cannot be read.
    func show(_ cursors: [(key: RoutingKey, reading: CursorReading)]) async throws(CommandError) {
        await keeper.close()
        var table = Table([
            .init("KEY"), .init("NAME"), .init("NEXT", isRightAligned: true), .init("WAITING", isRightAligned: true),
            .init("MOVED"), .init("AGE", isRightAligned: true),
        ])
        let now = UTCTime.now
        var faults: [String] = []
        for (key, reading) in cursors {
            switch reading.info {
            case .success(let info):
                table.append([
                    .init("\(key)"), .init("\(info.name)"), .init("\(info.next)"),
                    .init(info.waiting.map { "\($0)" } ?? "?"), .init("\(info.moved)"),
                    .init(Self.age(since: info.moved, now)),
                ])
            case .failure(let error):
                table.append([.init("\(key)"), .init("\(reading.name)"), .init("unreadable")])
                faults.append("\(error)")
            }
        }
        Terminal.output.write(table.drawn(for: .output))
        if !faults.isEmpty { throw CommandError(.failure, messages: faults) }
    }

    /// How long ago something was, in the largest unit of which it was one at least: `3d`.
    static func age(since time: UTCTime, _ now: UTCTime) -> String {
        // The time is the store's, whose clock need not be this one.
        let seconds = max(0, now.microseconds - time.microseconds) / 1_000_000
        for (unit, length) in [("d", 86_400), ("h", 3600), ("m", 60)] as [(String, Int64)] where seconds >= length {
            return "\(seconds / length)\(unit)"
        }
        return "\(seconds)s"
    }
}
