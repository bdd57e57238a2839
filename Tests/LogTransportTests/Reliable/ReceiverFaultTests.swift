import Synchronization
import TestServers
import Testing
import ZeroMQ

@testable import LogTransport

@Suite(.serialized, .timeLimit(.minutes(5))) struct ReceiverFaultTests {
    private static let count: UInt64 = 1_000_000

    @Test("of a million lines none is lost while receivers that connect are killed, stopped and restarted")
    func connectingReceivers() async throws {
        try await withTemporaryFolder { folder in
            let options = Self.options(ReliableOutletOptions(binds: [try NumberedSender.anyPort]))
            try await check(options, random: .forThisRun()) { endpoint in
                let endpoint = try #require(endpoint)
                return [
                    try await ReceiverProcess(.connect, endpoint, name: "a", in: folder),
                    try await ReceiverProcess(.connect, endpoint, name: "b", in: folder),
                    try await ReceiverProcess(.connect, endpoint, name: "c", in: folder),
                ]
            }
        }
    }

    @Test("of a million lines none is lost while receivers that are bound are killed, stopped and restarted")
    func boundReceivers() async throws {
        try await withTemporaryFolder { folder in
            let endpoints = [
                try Endpoint("tcp://127.0.0.1:\(try freePort())"), try Endpoint("tcp://127.0.0.1:\(try freePort())"),
                try Endpoint("tcp://127.0.0.1:\(try freePort())"),
            ]
            try await check(Self.options(ReliableOutletOptions(connects: endpoints)), random: .forThisRun()) { _ in
                [
                    try await ReceiverProcess(.bind, endpoints[0], name: "a", in: folder),
                    try await ReceiverProcess(.bind, endpoints[1], name: "b", in: folder),
                    try await ReceiverProcess(.bind, endpoints[2], name: "c", in: folder),
                ]
            }
        }
    }

    private static func options(_ options: ReliableOutletOptions) -> ReliableOutletOptions {
        var options = options
        options.times = NumberedSender.impatience
        options.times.stall = .seconds(10)
        options.reconnectInterval = .milliseconds(50)
        return options
    }

    /// Disturbs the receivers until the sender has ended, and looks at what they have written.
    private func check(
        _ options: ReliableOutletOptions, random: SplitMix64,
        startReceivers: (Endpoint?) async throws -> [ReceiverProcess]
    ) async throws {
        var random = random
        let sender = NumberedSender(options, count: Self.count, time: .seconds(240))
        let hasEnded = Ending()
        async let sending = hasEnded.after { try await sender.run() }
        var receivers = try await startReceivers(try await sender.endpoint())
        while !hasEnded.isSet {
            try await Task.sleep(for: .milliseconds(Int.random(in: 5...150, using: &random)))
            let index = Int.random(in: receivers.indices, using: &random)
            if Bool.random(using: &random) {
                receivers[index].toggleStopped()
            } else {
                try await receivers[index].restart()
            }
        }
        let outcome = try await sending
        for receiver in receivers { await receiver.end() }
        #expect(outcome.left == 0)
        #expect(outcome.acknowledged == Self.count)
        #expect(outcome.counts.receiversLost > 0)
        #expect(outcome.counts.garbage == 0)
        let outputs = receivers.flatMap(\.outputs)
        #expect(outputs.count > receivers.count, "nothing was killed in mid-stream")
        var seen = Set<UInt64>()
        for output in outputs { try read(output, into: &seen) }
        #expect(seen.count == Int(Self.count))
        print("redelivered \(outcome.counts.redelivered), processes \(outputs.count)")
    }

    /// Reads what one process wrote: whole lines whose ids belong to them, in order where they are no repeats.
    private func read(_ output: String, into seen: inout Set<UInt64>) throws {
        var highest: UInt64 = 0
        // A process that is killed while it writes leaves part of what it was about to acknowledge, cut anywhere.
        let whole = output.utf8.lastIndex(of: UInt8(ascii: "\n")).map { output.utf8[...$0] } ?? output.utf8[...]
        for line in whole.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
            try #require(words.count >= 2)
            let number = try #require(UInt64(Substring(words[0])))
            guard words[1].elementsEqual(words[0]) else {
                Issue.record("line \(number) is another's")
                return
            }
            seen.insert(number)
            guard words.count == 2 else { continue }
            guard number > highest else {
                Issue.record("line \(number) came after \(highest)")
                return
            }
            highest = number
        }
    }
}

/// Whether something has ended.
private final class Ending: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func after<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        defer { flag.store(true, ordering: .releasing) }
        return try await body()
    }
}
