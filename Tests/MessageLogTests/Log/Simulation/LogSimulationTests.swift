import CivilTime
import Logging
import ObjectStorage
import Synchronization
import TestServers
import Testing

@testable import MessageLog

@Suite struct LogSimulationTests {
    @Test(
        "sixteen writers and their consumers agree on one order, whatever the store, the clocks and kill -9 do",
        arguments: 0..<8)
    func order(run: Int) async throws {
        var random = SplitMix64.forThisRun()
        let world = World(seed: random.next() &+ UInt64(run), rates: .many)
        try await world.time.run {
            await withTaskGroup(of: Void.self) { group in
                for writer in 0..<16 { group.addTask { await world.produce("w\(writer)", for: .seconds(60)) } }
                for consumer in 0..<6 {
                    group.addTask { await world.consume("c\(consumer / 2)", for: .seconds(80)) }
                }
                group.addTask { await world.beAway() }
            }
            try await world.settleAndCheck(consumers: ["c0", "c1", "c2"])
        }
        #expect(world.ledger.acknowledgedCount > 300)
        #expect(world.ledger.deliveries > 1000)
    }

    @Test("the same seed gives the same run")
    func determinism() async throws {
        var random = SplitMix64.forThisRun()
        let seed = random.next()
        var runs: [[String]] = []
        for _ in 0..<2 {
            let world = World(seed: seed, rates: .many)
            try await world.time.run {
                await withTaskGroup(of: Void.self) { group in
                    for writer in 0..<4 { group.addTask { await world.produce("w\(writer)", for: .seconds(10)) } }
                    group.addTask { await world.consume("c", for: .seconds(10)) }
                }
            }
            runs.append(try await world.log().map { "\($0.time) \($0.text)" })
        }
        #expect(runs[0] == runs[1])
        #expect(runs[0].count > 20)
    }

    @Test(
        "retention takes nothing that was acknowledged since the hour began, however long writers stand still",
        arguments: 0..<4)
    func retention(run: Int) async throws {
        var random = SplitMix64.forThisRun()
        // A writer that both stands still for longer than the hour and does not know what became of its segment cannot
        // find out any more: that is where the promise ends.
        let rates =
            run % 2 == 0
            ? FaultRates(stalled: 10, stallTime: .seconds(5 * 3600))
            : FaultRates(unanswered: 30, late: 5, lateness: .seconds(4 * 3600))
        let world = World(seed: random.next() &+ UInt64(run), rates: rates)
        let removed = Removed()
        try await world.time.run {
            await withTaskGroup(of: Void.self) { group in
                for writer in 0..<5 {
                    group.addTask {
                        await world.produce("w\(writer)", for: .seconds(15 * 3600), pause: .seconds(400))
                    }
                }
                group.addTask {
                    // It has a store without faults, and is never an hour behind.
                    await world.follow("f", for: .seconds(26 * 3600))
                }
                group.addTask {
                    while world.time.elapsed < .seconds(22 * 3600) {
                        try? await world.time.sleep(.seconds(900))
                        do throws(MessageLogError) {
                            let report = try await world.retain(RetentionPolicy(maximumAge: .zero, passesCursors: true))
                            removed.count.withLock { $0 += report.segments }
                        } catch {
                            #expect(error.isRetriable, "\(error)")
                        }
                    }
                }
            }
        }
        #expect(removed.count.withLock { $0 } > 50)
        #expect(world.ledger.acknowledgedCount > 100)
        world.ledger.checkFollowed(world.followed.withLock { $0 })
    }

    private final class Removed: Sendable {
        let count = Mutex<UInt64>(0)
    }
}
