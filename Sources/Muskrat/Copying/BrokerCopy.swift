internal import CommandKit
internal import MessageLog

/// Copies messages key by key, a batch at a time: appended at the one side, then committed at the other.
struct BrokerCopy: Sendable {
    private let source: any CopyPlace
    private let target: any CopyPlace
    private let consumer: ConsumerName
    private let options: ReaderOptions
    /// Whether messages that the target cannot keep are left out, and reported.
    private let skipsUnfit: Bool
    /// How many messages may be on their way at once to a broker that stores each by itself.
    private let maxInFlight: Int
    private let meter: Meter

    /// How often a batch is tried when the target is away for a moment.
    private static let attempts = 5

    init(
        from source: any CopyPlace, to target: any CopyPlace, as consumer: ConsumerName, _ options: ReaderOptions,
        skipsUnfit: Bool, maxInFlight: Int, _ meter: Meter
    ) {
        self.source = source
        self.target = target
        self.consumer = consumer
        self.options = options
        self.skipsUnfit = skipsUnfit
        self.maxInFlight = maxInFlight
        self.meter = meter
    }

    /// Copies what the keys have that match, and had when it came to them.
    ///
    /// - Throws: ``MessageLogError``; `cancelled` when the task is, between two batches.
    func run(_ pattern: RoutingPattern) async throws(MessageLogError) {
        // A broker that does not tell its keys can be read by the name of one.
        let keys: [RoutingKey]
        if let key = pattern.key, source is RabbitMQBroker {
            keys = [key]
        } else {
            keys = try await source.keys(matching: pattern)
            if keys.isEmpty { tellOfMissingKeys(pattern, at: source) }
        }
        for key in keys { try await copy(key) }
    }

    private func copy(_ key: RoutingKey) async throws(MessageLogError) {
        let amount = try await source.amount(of: key, for: consumer, options)
        if amount.isUsedUp { return }
        let reader = try await source.makeReader(of: RoutingPattern(key), for: consumer, options: options)
        let writer: any MessageWriter
        do throws(MessageLogError) {
            writer = try await target.makeWriter(for: key, maxInFlight: maxInFlight)
        } catch {
            await reader.close()
            throw error
        }
        let result = await caught { () throws(MessageLogError) in try await copy(amount, reader, writer) }
        await writer.close()
        await reader.close()
        try result.get()
    }

    private func copy(
        _ amount: CopyAmount, _ reader: any MessageReader, _ writer: any MessageWriter
    ) async throws(MessageLogError) {
        var amount = amount
        while !amount.isUsedUp {
            let messages = try await reader.next()
            let wanted = amount.take(messages)
            if wanted.isEmpty { return }
            try await copy(wanted, reader, writer)
            if wanted.count < messages.count { return }
            if Task.isCancelled { throw MessageLogError(.cancelled, "the copy was ended") }
        }
    }

    /// Copies messages up to one that cannot be kept, unless such are to be left out.
    private func copy(
        _ messages: ArraySlice<Message>, _ reader: any MessageReader, _ writer: any MessageWriter
    ) async throws(MessageLogError) {
        var batch = MessageBatch()
        batch.reserveCapacity(messages.reduce(0) { $0 + $1.body.count + MessageBatch.recordHeader })
        var last: Message?
        var unfit: MessageLogError?
        for message in messages {
            if let reason = target.refusal(of: message) {
                guard skipsUnfit else {
                    unfit = MessageLogError(
                        .unfit,
                        "message \(message.position) of \(message.key) at \(source) cannot be copied to \(target): \(reason); "
                            + "--skip-unfit leaves such messages out")
                    break
                }
                leaveOut(message, reason)
            } else {
                batch.append(message.body, at: message.time)
            }
            last = message
        }
        // What was begun is brought to its end rather than repeated, in a task that a signal does not cancel.
        let result = await Task { [batch, last] in
            await caught { () throws(MessageLogError) in
                if !batch.isEmpty { try await append(batch, to: writer) }
                if let last { try await reader.commit(through: last) }
            }
        }.value
        try result.get()
        meter.add(batch.count)
        if let unfit { throw unfit }
    }

    private func leaveOut(_ message: Message, _ reason: String) {
        meter.leaveOut(1)
        meter.clear()
        Terminal.error.write("muskrat: message \(message.position) of \(message.key) is left out: \(reason)\n")
    }

    private func append(_ batch: MessageBatch, to writer: any MessageWriter) async throws(MessageLogError) {
        var attempt = 1
        while true {
            do throws(MessageLogError) {
                try await writer.append(batch)
                return
            } catch {
                guard error.isRetriable, attempt < Self.attempts else { throw error }
            }
            try? await Task.sleep(for: .milliseconds(200 << attempt))
            attempt += 1
        }
    }
}
