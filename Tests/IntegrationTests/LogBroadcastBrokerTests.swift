import LogBroadcast
import Logging
import TestServers
import Testing

/// Records over a RabbitMQ.
@Suite struct LogBroadcastBrokerTests {
    private struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    private func withBroadcast(
        _ body: (RabbitMQServer, String, Broadcast, Watcher) async throws -> Void
    ) async throws {
        try await withRabbitMQ { server in
            let url = "amqp://guest:guest@127.0.0.1:\(server.port)"
            let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions())
            let watcher = try Watcher(url)
            try await watcher.viewer.waitUntilReady(within: .seconds(30))
            try await broadcast.waitUntilReady(within: .seconds(30))
            try await body(server, url, broadcast, watcher)
            await broadcast.shutdown(within: .seconds(5))
            await watcher.close()
        }
    }

    @Test("everybody who watches gets every record, with all that was logged, once and in order")
    func fanout() async throws {
        try await withBroadcast { _, url, broadcast, first in
            let second = try Watcher(url)
            try await second.viewer.waitUntilReady(within: .seconds(30))
            var logger = broadcastLogger(broadcast, label: "backup")
            logger[metadataKey: "volume"] = "data"
            logger.warning(
                "disk \"full\"", error: Fault(description: "no space"),
                metadata: ["free": "0", "disks": ["a", ["b": "c"]]], file: "Backup.swift", function: "run()", line: 7)
            for number in 2...5_000 { logger.info("\(number)") }
            #expect(await broadcast.shutdown(within: .seconds(60)) == 0)
            for watcher in [first, second] {
                try await watcher.sees("5000")
                let records = watcher.seen.records
                #expect(records.map(\.seq) == Array(1...5_000))
                let record = try #require(records.first)
                #expect(record.message == "disk \"full\"")
                #expect(record.level == .warning)
                #expect(record.machine == "lb-1")
                #expect(record.logger == "backup")
                #expect(record.exception == "no space")
                #expect(record.metadata == ["volume": "data", "free": "0", "disks": ["a", ["b": "c"]]])
                #expect((record.pathname, record.function, record.lineno) == ("Backup.swift", "run()", 7))
                #expect(watcher.seen.missed == 0)
                #expect(watcher.seen.connected == 1)
            }
            await second.close()
        }
    }

    @Test("who comes later gets what is logged from then on, and who leaves takes the queue along")
    func comingAndGoing() async throws {
        try await withBroadcast { server, url, broadcast, watcher in
            let logger = broadcastLogger(broadcast)
            logger.info("early")
            try await watcher.sees("early")
            let late = try Watcher(url)
            try await late.viewer.waitUntilReady(within: .seconds(30))
            let queues = try await server.queues()
            #expect(queues.count == 2 && queues.allSatisfy { $0.wholeMatch(of: /logger_[0-9a-f-]{36}/) != nil })
            logger.info("late")
            try await late.sees("late")
            #expect(late.seen.records.map(\.message) == ["late"])
            #expect(late.seen.missed == 0)
            await late.close()
            try await eventually("its queue to go") { try await server.queues().count == 1 }
            let exchange = try await server.evaluate(
                """
                {ok, X} = rabbit_exchange:lookup(rabbit_misc:r(<<"/">>, exchange, <<"broadcast.fanout">>)),
                [P || P = {K, _} <- rabbit_exchange:info(X), lists:member(K, [type, durable, auto_delete])]
                """)
            #expect(exchange == "[{type, fanout}, {durable, false}, {auto_delete, false}]")
        }
    }

    @Test("what pika publishes is seen: a record of the older tools, and what is none, as it is")
    func foreignProducer() async throws {
        try await withBroadcast { server, _, broadcast, watcher in
            _ = try await python(
                """
                import json, pika, sys
                channel = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(sys.argv[1]))).channel()
                channel.exchange_declare("broadcast.fanout", "fanout")
                old = dict(source="logger", machine="lb-9", message="gr\\u00fc\\u00df", level="CRITICAL",
                           pathname="/srv/backup.py", lineno=12, exception=None)
                metadata = b'{"message":"bad bytes","level":"INFO","metadata":{"name":"\\xff\\xfe"}}'
                for body in (json.dumps(old).encode(), b"\\x00\\xff no JSON", b"", b"[1]", b'{"level":"INFO"}', metadata):
                    channel.basic_publish("broadcast.fanout", "", body)
                """, "\(server.port)")
            try await eventually("six messages") { watcher.seen.records.count + watcher.seen.foreign.count == 6 }
            broadcastLogger(broadcast).info("after")
            try await watcher.sees("after")
            let old = try #require(watcher.seen.records.first)
            #expect((old.machine, old.message, old.level) == ("lb-9", "gr\u{fc}\u{df}", .critical))
            #expect((old.pathname, old.lineno, old.seq) == ("/srv/backup.py", 12, 0))
            #expect(
                watcher.seen.foreign == [
                    [0, 0xff] + Array(" no JSON".utf8), [], Array("[1]".utf8), Array(#"{"level":"INFO"}"#.utf8),
                ])
            // What is not UTF-8 shows as replacement characters, and does not cost the record.
            #expect(watcher.seen.records[1].metadata == ["name": "\u{fffd}\u{fffd}"])
        }
    }

    @Test("pika reads records as JSON")
    func foreignConsumer() async throws {
        try await withBroadcast { server, _, broadcast, _ in
            let logger = broadcastLogger(broadcast, label: "backup")
            let logging = Task {
                while !Task.isCancelled {
                    logger.error("f\u{fc}r pika", metadata: ["raw": "\(String(decoding: [0xff, 0x41], as: UTF8.self))"])
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            defer { logging.cancel() }
            let output = try await python(
                """
                import json, os, pika, sys
                channel = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(sys.argv[1]))).channel()
                channel.exchange_declare("broadcast.fanout", "fanout")
                queue = channel.queue_declare("", exclusive=True).method.queue
                channel.queue_bind(queue, "broadcast.fanout")
                for method, properties, body in channel.consume(queue, auto_ack=True):
                    record = json.loads(body)
                    print(properties.content_type, ",".join(record), record["source"], record["machine"],
                          record["level"], record["logger"], ascii(record["message"]), ascii(record["metadata"]["raw"]),
                          record["exception"])
                    break
                """, "\(server.port)")
            #expect(
                output == """
                    application/json source,machine,message,level,pathname,lineno,exception,timestamp,logger,\
                    function,pid,seq,run,metadata logger lb-1 ERROR backup 'f\\xfcr pika' '\\ufffdA' None

                    """)
        }
    }

    @Test("of a record of 10 MB the first 512 KiB come, and it says what is missing")
    func hugeRecord() async throws {
        try await withBroadcast { _, _, broadcast, watcher in
            let logger = broadcastLogger(broadcast)
            logger.info("\(String(repeating: "\u{fc}", count: 5_000_000))", metadata: ["small": "kept"])
            logger.info("small", metadata: ["huge": "\(String(repeating: "x", count: 10_000_000))"])
            logger.info("after")
            try await watcher.sees("after")
            let (huge, small) = (watcher.seen.records[0], watcher.seen.records[1])
            #expect(huge.message.hasSuffix("\u{fc}\u{2026} (9475748 more bytes)"))
            #expect(huge.message.utf8.count <= 524_288)
            #expect(huge.metadata == ["small": "kept"])
            #expect(small.message == "small")
            #expect(small.metadata == ["cut": "10000068 bytes of metadata"])
            #expect(watcher.seen.missed == 0)
        }
    }

    @Test("a wrong password, virtual host or permission is told at once, and never the password")
    func refusals() async throws {
        try await withRabbitMQ { server in
            try await server.evaluate(
                #"""
                ok = rabbit_vhost:add(<<"fleet">>, <<"test">>),
                ok = rabbit_auth_backend_internal:add_user(<<"reader">>, <<"secret">>, <<"test">>),
                ok = rabbit_auth_backend_internal:set_permissions(
                    <<"reader">>, <<"fleet">>, <<"nothing">>, <<"nothing">>, <<".*">>, <<"test">>)
                """#)
            let address = "127.0.0.1:\(server.port)"
            for (url, word) in [
                ("amqp://guest:sesame@\(address)", "password"), ("amqp://guest:guest@\(address)/none", "none"),
                ("amqp://reader:secret@\(address)/fleet", "broadcast.fanout"),
            ] {
                let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions())
                let watcher = try Watcher(url)
                for error in [
                    await broadcastError { try await broadcast.waitUntilReady(within: .seconds(20)) },
                    await broadcastError { try await watcher.viewer.waitUntilReady(within: .seconds(20)) },
                ] {
                    #expect(error?.code == .refused)
                    #expect(error?.description.contains(word) == true, "\(error?.description ?? "no error")")
                    #expect(error?.description.contains("sesame") == false)
                }
                try await eventually("an event") { !watcher.seen.disconnected.isEmpty }
                #expect(watcher.seen.disconnected[0].contains(word))
                await broadcast.shutdown(within: .milliseconds(100))
                await watcher.close()
            }
        }
    }
}
