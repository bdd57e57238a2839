import Synchronization
import Testing

@testable import LogBroadcast

@Suite struct TroublesTests {
    private final class Listener: Sendable {
        private let heard = Mutex<[String]>([])
        var lines: [String] { heard.withLock { $0 } }

        var troubles: Troubles {
            var options = BroadcastOptions()
            options.onTrouble = { line in self.heard.withLock { $0.append(line) } }
            return Troubles(of: options)
        }
    }

    @Test("troubles are told at most once a minute, in one line, with how many were not told")
    func pause() {
        let listener = Listener()
        let troubles = listener.troubles
        let start = ContinuousClock.now
        troubles.say("no\nbroker", at: start)
        troubles.say("b", at: start + .seconds(1))
        troubles.say("c", at: start + .seconds(59))
        #expect(listener.lines == ["no broker"])
        troubles.say("d", at: start + .seconds(60))
        troubles.say("e", at: start + .seconds(119))
        troubles.say("f", at: start + .seconds(120))
        #expect(listener.lines == ["no broker", "d (and 2 more like it since)", "f (and 1 more like it since)"])
    }

    @Test("the last trouble is told in any case")
    func end() {
        let listener = Listener()
        let troubles = listener.troubles
        let start = ContinuousClock.now
        troubles.say("a", at: start)
        troubles.say("b", at: start)
        troubles.say("c", isLast: true, at: start)
        #expect(listener.lines == ["a", "c (and 1 more like it since)"])
    }
}
