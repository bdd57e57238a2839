import TestServers
import Testing

@testable import LogTransport

@Suite struct SimulatedDeliveryTests {
    @Test(
        "whatever is lost, late, dead or asleep, every line is processed, and none is acknowledged before",
        arguments: SimulatedDelivery.Roles.allCases)
    func faults(roles: SimulatedDelivery.Roles) {
        var random = SplitMix64.forThisRun()
        for _ in 0..<40 {
            var delivery = SimulatedDelivery(
                roles: roles, receivers: .random(in: 1...5, using: &random), total: 20_000,
                random: SplitMix64(state: random.next()))
            for _ in 0..<2000 where !delivery.isDone { delivery.step() }
            delivery.isUnkind = false
            for index in delivery.receivers.indices {
                delivery.receivers[index].isPaused = false
                if !delivery.receivers[index].isRunning { delivery.start(index) }
            }
            for _ in 0..<20_000 where !delivery.isDone { delivery.step() }
            #expect(delivery.faults.prefix(3) == [])
            #expect(delivery.sender.acknowledged == 20_000)
            #expect(delivery.processed.count == 20_000)
        }
    }

    @Test("without faults nothing comes twice", arguments: SimulatedDelivery.Roles.allCases)
    func peace(roles: SimulatedDelivery.Roles) {
        var delivery = SimulatedDelivery(roles: roles, receivers: 3, total: 20_000, random: .forThisRun())
        delivery.isUnkind = false
        for _ in 0..<20_000 where !delivery.isDone { delivery.step() }
        #expect(delivery.sender.acknowledged == 20_000)
        #expect(delivery.faults.prefix(3) == [])
        #expect(delivery.sender.counts == OutletCounts())
    }
}
