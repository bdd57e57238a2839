import LogBroadcast
import Logging
import TestServers
import Testing

/// Records over ZeroMQ, without a broker.
@Suite struct LogBroadcastPeerTests {
    @Test(
        "everybody who is connected to a program gets its records, over TCP and Unix sockets", arguments: [true, false])
    func binding(isTCP: Bool) async throws {
        try await withTemporaryFolder { folder in
            let url = isTCP ? "tcp://127.0.0.1:\(try freePort())" : "ipc://\(folder)/log"
            let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions())
            let watchers = try [Watcher(url), Watcher(url)]
            for watcher in watchers { try await watcher.viewer.waitUntilReady(within: .seconds(10)) }
            try await broadcast.waitUntilReady(within: .seconds(10))
            let logger = broadcastLogger(broadcast)
            // A subscription arrives a moment after its connection.
            try await eventually("both to be subscribed") {
                logger.info("hello")
                return watchers.allSatisfy { !$0.seen.records.isEmpty }
            }
            for number in 1...5_000 { logger.info("\(number)") }
            #expect(await broadcast.shutdown(within: .seconds(60)) == 0)
            for watcher in watchers {
                try await watcher.sees("5000")
                #expect(watcher.seen.records.suffix(5_000).map(\.message) == (1...5_000).map { "\($0)" })
                #expect(watcher.seen.missed == 0)
                try await eventually("its leaving") { !watcher.seen.disconnected.isEmpty }
                await watcher.close()
            }
        }
    }

    @Test("programs meet at a viewer that binds")
    func connecting() async throws {
        let port = try freePort()
        let watcher = try Watcher("tcp://127.0.0.1:\(port)?bind")
        try await watcher.viewer.waitUntilReady(within: .seconds(10))
        for label in ["a", "b"] {
            let broadcast = try Broadcast(to: BroadcastURL("tcp://127.0.0.1:\(port)?connect"), options: quietOptions())
            try await broadcast.waitUntilReady(within: .seconds(10))
            broadcastLogger(broadcast, label: label).info("from \(label)")
            #expect(await broadcast.shutdown(within: .seconds(60)) == 0)
            try await watcher.sees("from \(label)")
        }
        await watcher.close()
    }

    @Test("a program that starts again is found again, and what was not seen meanwhile is not guessed")
    func restart() async throws {
        let url = "tcp://127.0.0.1:\(try freePort())"
        let watcher = try Watcher(url)
        for round in 1...2 {
            let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions())
            try await broadcast.waitUntilReady(within: .seconds(10))
            broadcastLogger(broadcast).info("round \(round)")
            try await watcher.sees("round \(round)")
            await broadcast.shutdown(within: .seconds(5))
        }
        #expect(watcher.seen.missed == 0)
        await watcher.close()
    }

    @Test("a viewer that stops reading misses records and is told how many, and nobody else misses any")
    func stuckViewer() async throws {
        let url = "tcp://127.0.0.1:\(try freePort())"
        let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions(bufferBytes: 64 << 20))
        let stuck = try Watcher(url, isReading: false)
        let live = try Watcher(url)
        for watcher in [stuck, live] { try await watcher.viewer.waitUntilReady(within: .seconds(10)) }
        try await broadcast.waitUntilReady(within: .seconds(10))
        let logger = broadcastLogger(broadcast)
        let filler = String(repeating: "x", count: 500)
        for number in 1...45_000 {
            logger.info("\(number)", metadata: ["filler": "\(filler)"])
            // As fast as the live one reads: what it does not keep up with, it would miss too.
            if number.isMultiple(of: 1_000) { try await live.sees("\(number)") }
        }
        #expect(live.seen.missed == 0)
        stuck.read()
        try await eventually(within: .seconds(90), "a record that shows what is missing") {
            logger.info("end")
            return stuck.seen.missed > 0
        }
        await broadcast.shutdown(within: .seconds(5))
        for watcher in [stuck, live] { await watcher.close() }
    }

    @Test("nobody who watches, or nobody who listens, is an error in time; an address in use at once")
    func absence() async throws {
        let url = "tcp://127.0.0.1:\(try freePort())"
        let watcher = try Watcher(url)
        #expect(
            await broadcastError { try await watcher.viewer.waitUntilReady(within: .milliseconds(100)) }?.code
                == .unavailable)
        try await eventually("an event") { !watcher.seen.disconnected.isEmpty }
        await watcher.close()
        let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions())
        #expect(
            await broadcastError { try await broadcast.waitUntilReady(within: .milliseconds(100)) }?.code
                == .unavailable)
        #expect(
            await broadcastError { _ = try Broadcast(to: BroadcastURL(url), options: quietOptions()) }?.code
                == .unavailable)
        await broadcast.shutdown(within: .seconds(1))
    }

    @Test("pyzmq publishes what is seen, and subscribes to what is logged")
    func foreignPeers() async throws {
        let ports = try freePorts(2)
        let (port, other) = (ports[0], ports[1])
        let broadcast = try Broadcast(to: BroadcastURL("tcp://127.0.0.1:\(port)"), options: quietOptions())
        let watcher = try Watcher("tcp://127.0.0.1:\(other)?bind")
        let logger = broadcastLogger(broadcast)
        let logging = Task {
            try await broadcast.waitUntilReady(within: .seconds(30))
            while !Task.isCancelled {
                logger.notice("for pyzmq")
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        defer { logging.cancel() }
        let output = try await python(
            """
            import json, sys, time, zmq
            context = zmq.Context()
            subscriber, publisher = context.socket(zmq.SUB), context.socket(zmq.XPUB)
            subscriber.connect("tcp://127.0.0.1:" + sys.argv[1])
            subscriber.subscribe(b"")
            record = json.loads(subscriber.recv())
            print(record["level"], record["message"])
            publisher.connect("tcp://127.0.0.1:" + sys.argv[2])
            publisher.recv()
            publisher.send(json.dumps(dict(message="from pyzmq", level="WARN", machine="lb-2")).encode())
            publisher.send(b"no JSON")
            subscriber.close(0)
            publisher.close(5000)
            context.term()
            """, "\(port)", "\(other)")
        #expect(output == "NOTICE for pyzmq\n")
        try await watcher.sees("from pyzmq")
        try await eventually("the other message") { watcher.seen.foreign == [Array("no JSON".utf8)] }
        await broadcast.shutdown(within: .seconds(1))
        await watcher.close()
    }
}
