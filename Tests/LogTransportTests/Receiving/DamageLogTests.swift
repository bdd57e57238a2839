import Testing

@testable import LogTransport

@Suite struct DamageLogTests {
    private let error = LogTransportError(.protocolViolation, "no batch")

    @Test("the first damaged message is told at once, those of the next minute together after it")
    func onceAMinute() {
        let log = RecordedLog()
        var damage = DamageLog(log.logger)
        let start = ContinuousClock.now
        for second in 0..<60 { damage.note(error, at: start + .seconds(second)) }
        #expect(log.warnings == ["1 damaged message was dropped: no batch"])
        damage.note(error, at: start + .seconds(60))
        #expect(log.warnings.dropFirst() == ["60 damaged messages were dropped: no batch"])
    }

    @Test("those that were not told of are told of at the end, once")
    func end() {
        let log = RecordedLog()
        var damage = DamageLog(log.logger)
        let start = ContinuousClock.now
        damage.note(error, at: start)
        damage.finish()
        #expect(log.warnings.count == 1)
        for _ in 0..<3 { damage.note(error, at: start) }
        damage.finish()
        damage.finish()
        #expect(log.warnings.dropFirst() == ["3 damaged messages were dropped since the last warning"])
    }
}
