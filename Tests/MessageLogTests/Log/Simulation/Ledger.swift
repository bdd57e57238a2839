import Synchronization
import Testing

@testable import MessageLog

/// What happened in a simulation, as those saw it who took part.
final class Ledger: Sendable {
    private struct State {
        var acknowledged: [String: UInt64] = [:]
        var sent: Set<String> = []
        var texts: [UInt64: String] = [:]
        var handled: [String: UInt64] = [:]
        var deliveries = 0
    }

    private let state = Mutex(State())

    var acknowledgedCount: Int { state.withLock(\.acknowledged.count) }
    var deliveries: Int { state.withLock(\.deliveries) }

    func send(_ texts: [String]) { state.withLock { $0.sent.formUnion(texts) } }

    func acknowledge(_ texts: [String], _ receipt: AppendReceipt, isSplit: Bool = false) {
        guard case .sequence(let first) = receipt.first, case .sequence(let last) = receipt.last else {
            Issue.record("an acknowledgement without numbers")
            return
        }
        #expect(isSplit || last - first + 1 == UInt64(texts.count))
        state.withLock { state in
            for (index, text) in texts.enumerated() {
                #expect(state.acknowledged[text] == nil)
                state.acknowledged[text] = isSplit && index > 0 ? 0 : first + UInt64(index)
            }
        }
    }

    /// Takes down what a consumer was given: all have to be given the same, and none may leave anything out.
    func handle(_ messages: [Message], by name: String) {
        state.withLock { state in
            for message in messages {
                guard case .sequence(let sequence) = message.position else { continue }
                state.deliveries += 1
                #expect(state.texts[sequence] ?? message.text == message.text, "\(name) sees another order")
                state.texts[sequence] = message.text
                let before = state.handled[name] ?? 0
                #expect(sequence <= before + 1, "\(name) was given \(sequence) after \(before)")
                state.handled[name] = max(before, sequence)
            }
        }
    }

    /// Checks a log against what was acknowledged.
    func check(_ messages: [Message]) {
        state.withLock { state in
            #expect(messages.map(\.position) == messages.indices.map { .sequence(UInt64($0) + 1) })
            var places: [String: [UInt64]] = [:]
            var last: [Substring: Int] = [:]
            for (index, message) in messages.enumerated() {
                let text = message.text
                places[text, default: []].append(UInt64(index) + 1)
                #expect(state.sent.contains(text))
                #expect(state.texts[UInt64(index) + 1] ?? text == text)
                // Those of one writer come in the order in which it sent them.
                let parts = text.split(separator: ":")
                if parts.count == 2, let number = Int(parts[1]) {
                    #expect(last[parts[0]] ?? -1 < number, "\(text) is out of order")
                    last[parts[0]] = number
                }
            }
            for (text, copies) in places { #expect(copies.count == 1, "\(text) stands at \(copies)") }
            for (text, sequence) in state.acknowledged {
                #expect(sequence == 0 ? places[text] != nil : places[text] == [sequence], "\(text) at \(sequence)")
            }
            for (name, sequence) in state.handled {
                #expect(sequence == UInt64(messages.count), "\(name) has not been given all")
            }
        }
    }

    /// Checks what somebody was given who read all the time, while old messages were removed behind them.
    func checkFollowed(_ messages: [Message]) {
        state.withLock { state in
            #expect(messages.map(\.position) == messages.indices.map { .sequence(UInt64($0) + 1) })
            let places = Dictionary(grouping: messages.indices) { messages[$0].text }
            for (text, copies) in places { #expect(copies.count == 1, "\(text) was given \(copies.count) times") }
            for (text, sequence) in state.acknowledged {
                #expect(
                    sequence == 0 ? places[text] != nil : places[text] == [Int(sequence) - 1],
                    "\(text) was acknowledged at \(sequence)")
            }
        }
    }
}
