import ObjectStorage
import Testing

@testable import MessageLog

/// Puts of leases and cursors of which nobody knows what became.
@Suite struct LostAnswerTests {
    /// What can have happened when no answer comes.
    enum Loss: CaseIterable {
        case answer, request

        var trouble: TroubledStore.Trouble {
            self == .answer ? .answerLost : .fails(ObjectStoreError(.ambiguous, "no answer"))
        }
    }

    private let store = TroubledStore(InMemoryObjectStore(), isConditional: true)

    @Test("no answer to a lease's put, or to a cursor's, ends a consumer", arguments: Loss.allCases)
    func once(loss: Loss) async throws {
        let stand = try LogStand(store: store)
        try await stand.append(["1", "2"])
        let reader = try await stand.reader()
        store.trouble(.put, loss.trouble)
        #expect(try await reader.takeLease(), "its own lease was taken for another consumer's")
        store.trouble(.put, loss.trouble)
        let messages = try await reader.next()
        #expect(messages.map(\.text) == ["1", "2"])
        store.trouble(.put, loss.trouble)
        try await reader.commit(through: messages[0])
        try await reader.commit(through: messages[1])
        store.trouble(.put, loss.trouble)
        await reader.close()
        let next = try await stand.reader()
        #expect(try await next.takeLease(), "the lease was not given back")
        #expect(try await stand.read(next).isEmpty)
        await next.close()
    }

    @Test("a store that never answers is an error that says what could not be written")
    func never() async throws {
        let stand = try LogStand(store: store)
        try await stand.append(["1"])
        let reader = try await stand.reader()
        let messages = try await reader.next()
        let silence = Loss.request.trouble
        store.trouble(.put, silence, silence, silence)
        await #expect { try await reader.commit(through: messages[0]) } throws: {
            let error = $0 as? MessageLogError
            return error?.code == .ambiguous
                && error?.description.contains("cannot write the cursor p/A/B/cursors/c") == true
        }
        try await reader.commit(through: messages[0])
        await reader.close()
    }
}
