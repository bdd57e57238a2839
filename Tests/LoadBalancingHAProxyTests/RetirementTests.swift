import HAProxy
import Testing

@testable import LoadBalancingHAProxy

/// In which order servers that were removed are looked at.
@Suite struct RetirementTests {
    private func places(_ numbers: ClosedRange<Int>) throws -> [ServerPlace] {
        try numbers.map { ServerPlace(backend: try ProxyName("b"), server: try ServerName("id-\($0)")) }
    }

    @Test("none waits behind others that stay")
    func rotation() throws {
        var retirement = Retirement()
        let all = try places(1...250)
        let now = ContinuousClock.now
        retirement.update(all, patience: .seconds(9), now: now)
        let looks = (1...3).flatMap { _ in retirement.next(100) }
        #expect(Set(looks) == Set(all))
        #expect(retirement.next(1) == [all[50]])
    }

    @Test("one that comes again after it was gone, or in service, has its time anew")
    func anew() throws {
        var retirement = Retirement()
        let (all, start) = (try places(1...3), ContinuousClock.now)
        retirement.update(all, patience: .seconds(9), now: start)
        retirement.update([all[0], all[2]], patience: .seconds(9), now: start + .seconds(1))
        retirement.forget(all[2])
        retirement.update(all, patience: .seconds(9), now: start + .seconds(2))
        #expect(retirement.deadlines[all[0]] == start + .seconds(9))
        #expect(retirement.deadlines[all[1]] == start + .seconds(11))
        #expect(retirement.deadlines[all[2]] == start + .seconds(11))
        #expect(Set(retirement.next(10)) == Set(all))
        #expect(retirement.next(10).count == 3)
    }
}
