import Testing

@testable import LoadBalancingHAProxy

@Suite struct DrainWatchTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test("the drain time begins when the process is told to end, however long that took")
    func lateStop() {
        var watch = DrainWatch(drainTimeout: .seconds(10), start: start)
        #expect(watch.action(after: .goesOn, at: at(30)) == .wait(.milliseconds(200)))
        #expect(watch.action(after: .goesOn, at: at(39.9)) == .wait(.milliseconds(200)))
        #expect(watch.action(after: .stopping(connections: 1), at: at(40)) != .cut)
        #expect(watch.action(after: .stopping(connections: 1), at: at(49.3)) != .cut)
        #expect(watch.action(after: .stopping(connections: 1), at: at(49.45)) == .cut)
        #expect(watch.action(after: .stopping(connections: 1), at: at(49.6)) == .wait(.milliseconds(5)))
        #expect(watch.action(after: .ended, at: at(49.7)) == .leave)
    }

    @Test("a process that could not be asked for long is cut a second early at most")
    func late() {
        var watch = DrainWatch(drainTimeout: .seconds(10), start: start)
        #expect(watch.action(after: .stopping(connections: 1), at: at(20)) != .cut)
        #expect(watch.action(after: .stopping(connections: 1), at: at(28.4)) != .cut)
        #expect(watch.action(after: .stopping(connections: 1), at: at(28.6)) == .cut)
    }

    @Test("no pause is zero, and none reaches beyond the cut")
    func pauses() {
        var watch = DrainWatch(drainTimeout: .seconds(1), start: start)
        for step in 0..<500 {
            guard case .wait(let pause) = watch.action(after: .goesOn, at: at(Double(step) / 10)) else {
                Issue.record("it does not wait")
                return
            }
            #expect(pause >= .milliseconds(5) && pause <= .milliseconds(50))
        }
        // It may have been told a quarter of a second before it is first seen to be.
        for step in 0..<649 {
            let now = at(60 + Double(step) / 1000)
            guard case .wait(let pause) = watch.action(after: .stopping(connections: 0), at: now, held: 150) else {
                Issue.record("it does not wait")
                return
            }
            #expect(pause > .zero && now + pause <= at(60.65) + .milliseconds(1))
        }
    }

    @Test("a process that nobody replaces is left alone when a reload cannot take longer")
    func noReload() {
        var watch = DrainWatch(drainTimeout: .seconds(1), start: start)
        #expect(watch.action(after: .goesOn, at: at(59.9)) == .wait(.milliseconds(50)))
        #expect(watch.action(after: .goesOn, at: at(60.1)) == .leave)
    }

    @Test("the more connections there are the earlier they are cut, within half of the drain time")
    func manyConnections() {
        for (connections, cut) in [(0, 29.5), (5000, 27.0), (1_000_000, 15)] {
            var watch = DrainWatch(drainTimeout: .seconds(30), start: start)
            _ = watch.action(after: .stopping(connections: connections), at: start)
            #expect(watch.action(after: .stopping(connections: connections), at: at(cut - 0.01)) != .cut)
            #expect(watch.action(after: .stopping(connections: connections), at: at(cut + 0.01)) == .cut)
        }
    }

    @Test("one too many is cut at once, and once")
    func oneTooMany() {
        var watch = DrainWatch(drainTimeout: .seconds(30), start: start)
        let sight = DrainWatch.Sight.stopping(connections: 1)
        #expect(watch.action(after: sight, at: at(1), isOneTooMany: true) == .cut)
        #expect(watch.action(after: sight, at: at(1.1), isOneTooMany: true) == .wait(.milliseconds(5)))
    }
}
