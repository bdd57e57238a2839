import ArgumentParser
import CommandKit
import LogBroadcast

/// `logcast top`: who logs how much.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Show a live table of machines by records a second and errors, until Ctrl-C.",
        discussion: "On a terminal it is redrawn in place; elsewhere each table follows the last.")

    @OptionGroup var place: PlaceOptions
    @OptionGroup var filters: FilterOptions
    @Option(help: "Seconds between two tables, from 0.1 to 3600.") var interval = 1.0
    @Option(help: "End after as many tables.") var count: Int?

    mutating func validate() throws {
        guard (0.1...3600).contains(interval) else {
            throw ValidationError("--interval \(interval) is not from 0.1 to 3600 seconds")
        }
        guard count ?? 1 > 0 else { throw ValidationError("--count \(count ?? 0) is not at least 1") }
    }

    func run() async throws {
        let filter = try filters.filter()
        let viewer = try openViewer(try place.urls())
        let counts = MachineCounts()
        let watching = Task {
            for await event in viewer { await counts.take(event, if: filter) }
        }
        var screen = TopScreen()
        let output = OutputThread()
        let clock = ContinuousClock()
        var last = clock.now
        for _ in 0..<(count ?? .max) {
            try await clock.sleep(until: last.advanced(by: .seconds(interval)))
            let now = clock.now
            let terminal = Terminal.output
            let table = await counts.table(after: last.duration(to: now), rows: screen.rows(of: terminal))
            last = now
            try await output.write(Array(screen.redrawn(table, on: terminal).utf8))
        }
        watching.cancel()
        await viewer.close()
    }
}

/// The counts, between the task that watches and the one that draws.
private actor MachineCounts {
    private var machines = MachineTable()
    private var trouble: String?

    func take(_ event: BroadcastEvent, if filter: RecordFilter) {
        switch event {
        case .record(let record) where filter.allows(record): machines.count(record)
        case .missed(let machine, _, let count) where filter.allows(machine: machine):
            machines.count(missed: count, of: machine)
        case .disconnected(let reason): trouble = reason
        case .connected: trouble = nil
        case .record, .missed, .foreign: break
        }
    }

    func table(after duration: Duration, rows: Int) -> TopScreen.Content {
        machines.tick(after: duration)
        return TopScreen.Content(machines: machines.machines, table: machines.table(limit: rows), trouble: trouble)
    }
}
