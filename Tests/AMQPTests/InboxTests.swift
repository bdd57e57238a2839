import Testing

@testable import AMQP

struct InboxTests {
    private func delivery(_ tag: UInt64, _ body: [UInt8], of inbox: Inbox) -> Delivery {
        Delivery(
            body: body, exchange: "", routingKey: "", isRedelivered: false, properties: MessageProperties(), tag: tag,
            generation: 1, inbox: inbox)
    }

    @Test("what was taken is let go of, also where the next message is there before")
    func release() async throws {
        let inbox = Inbox(ConsumerOptions(acknowledgement: .onNext, prefetch: 10)) {}
        _ = inbox.beginGeneration()
        for tag in 1...3 as ClosedRange<UInt64> { inbox.append(delivery(tag, [UInt8(tag)], of: inbox)) }
        // It never becomes empty.
        var most = 0
        for tag in 4...10_000 as ClosedRange<UInt64> {
            inbox.append(delivery(tag, [UInt8(truncatingIfNeeded: tag)], of: inbox))
            let next = try #require(try await inbox.next())
            #expect(next.tag == tag - 3)
            most = max(most, inbox.places)
        }
        #expect(most < 200)
        for tag in 9_998...10_000 as ClosedRange<UInt64> { #expect(try await inbox.next()?.tag == tag) }
    }

    @Test("many messages are acknowledged at once, but long ones before the next")
    func acknowledgement() async throws {
        let inbox = Inbox(ConsumerOptions(acknowledgement: .onNext, prefetch: 100, prefetchBytes: 4_000)) {}
        _ = inbox.beginGeneration()
        for tag in 1...5 as ClosedRange<UInt64> {
            inbox.append(delivery(tag, Array(repeating: 0, count: tag == 3 ? 1_000 : 10), of: inbox))
        }
        for _ in 1...3 { _ = try await inbox.next() }
        #expect(inbox.takeAnswers().isEmpty)
        _ = try await inbox.next()
        #expect(inbox.takeAnswers() == [TaggedAnswer(tag: 3, answer: .acknowledgeThrough)])
    }
}
