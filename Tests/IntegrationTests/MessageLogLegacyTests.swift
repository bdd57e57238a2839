import CivilTime
import Logging
import MessageLog
import ObjectStorage
import Synchronization
import TestServers
import Testing

/// The layout of the old library on a real store, with what that library does, in Python.
@Suite struct MessageLogLegacyTests {
    @Test("the old library and this one read what the other one wrote, while both write")
    func sideBySide() async throws {
        try await withSeaweedFS { server in
            try await withTemporaryFolder { folder in
                let old = OldLibrary(login: server.login, folder: folder)
                let broker = try server.login.legacyBroker()
                async let writing: Void = old.produce("Side.By.Side", 40)
                let writer = try await broker.makeWriter(for: RoutingKey("side.by.side"))
                for number in 0..<40 { try await writer.append(MessageBatch(["new \(number)"])) }
                try await writing
                let all = Set((0..<40).flatMap { ["old \($0)", "new \($0)"] })
                let ours = try await consume("Side.By.Side", broker)
                #expect(Set(ours) == all)
                #expect(ours.count == 80)
                let theirs = try await old.consume("Side.By.Side")
                #expect(theirs == ours)
                // Neither takes the other's cursors and leases, or its own, for messages.
                #expect(try await old.consume("Side.By.Side") == [])
                #expect(try await consume("Side.By.Side", broker) == [])
                await broker.close()
            }
        }
    }

    @Test("what producers of the old library name after the local time of other places is read, once")
    func timeZones() async throws {
        try await withSeaweedFS { server in
            try await withTemporaryFolder { folder in
                let old = OldLibrary(login: server.login, folder: folder)
                let broker = try server.login.legacyBroker(LegacyOptions(lookBack: .seconds(5 * 3600 + 60)))
                let writer = try await broker.makeWriter(for: RoutingKey("Zones"))
                for round in 0..<3 {
                    try await old.produce("Zones", 3, zone: "WEST5")
                    try await old.produce("Zones", 3, zone: "EAST-2")
                    try await writer.append(MessageBatch(["new \(round)"]))
                    let messages = try await consume("Zones", broker)
                    #expect(messages == ["old 0", "old 1", "old 2", "new \(round)", "old 0", "old 1", "old 2"])
                    #expect(try await consume("Zones", broker) == [])
                }
                await broker.close()
            }
        }
    }

    @Test("a consumer goes on where the old library's cursor stands")
    func oldCursor() async throws {
        try await withSeaweedFS { server in
            try await withTemporaryFolder { folder in
                let old = OldLibrary(login: server.login, folder: folder)
                try await old.produce("Moving", 5)
                #expect(try await old.consume("Moving").count == 5)
                try await old.produce("Moving", 2, first: 5)
                try await server.login.boto3(
                    """
                    s3.upload_file(sys.argv[1], bucket, "MOVING/cursors/default")
                    """, in: folder, [old.cursor])
                let broker = try server.login.legacyBroker()
                #expect(try await consume("Moving", broker) == ["old 5", "old 6"])
                await broker.close()
            }
        }
    }

    @Test("sixteen writers of one key replace nothing of each other")
    func races() async throws {
        try await withSeaweedFS { server in
            let broker = try server.login.legacyBroker()
            // All have the same time, as if their clocks agreed to the microsecond.
            let time = try #require(UTCTime("2026-11-21T01:23:45.678901"))
            let frozen = try server.login.legacyBroker(LegacyOptions(keepsTimes: true))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<16 {
                    group.addTask {
                        let writer = try await frozen.makeWriter(for: RoutingKey("Race"), maxInFlight: 4)
                        for round in 0..<4 {
                            var batch = MessageBatch()
                            for index in 0..<4 { batch.append(Array("\(number) \(round) \(index)".utf8), at: time) }
                            try await writer.append(batch)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let messages = try await consume("Race", broker)
            #expect(messages.count == 256)
            #expect(Set(messages).count == 256)
            await frozen.close()
            await broker.close()
        }
    }

    private func consume(_ key: String, _ broker: any Broker) async throws -> [String] {
        let texts = Mutex<[String]>([])
        let consumer = Consumer(key, broker: broker) { message in texts.withLock { $0.append(message.text) } }
        try await consumer.consume()
        return texts.withLock { $0 }
    }
}

/// What the old library does, over boto3: one object a message, named after local time; and a cursor in a file.
private struct OldLibrary {
    let login: S3Login
    let folder: String

    var cursor: String { "\(folder)/cursor" }

    /// Sends `old 0`, `old 1` and so on.
    func produce(_ key: String, _ count: Int, first: Int = 0, zone: String = "UTC0") async throws {
        try await login.boto3(
            """
            import os, time
            from datetime import datetime
            folder = sys.argv[1].upper().replace(".", "/")
            os.environ["TZ"] = sys.argv[4]
            time.tzset()
            for number in range(int(sys.argv[3]), int(sys.argv[3]) + int(sys.argv[2])):
                name = datetime.today().strftime("%Y-%m-%dT%H:%M:%S.%f")
                s3.put_object(Bucket=bucket, Key=folder + "/" + name, Body=b"old %d" % number)
            """, in: folder, [key, "\(count)", "\(first)", zone])
    }

    /// Reads what is behind the cursor, and moves it after each message.
    func consume(_ key: String) async throws -> [String] {
        try await login.boto3(
            """
            import os
            folder, cursor = sys.argv[1].upper().replace(".", "/"), sys.argv[2]
            marker = open(cursor).readline() if os.path.exists(cursor) else ""
            while True:
                page = s3.list_objects(Bucket=bucket, Prefix=folder + "/", Delimiter="/", Marker=marker)
                for item in page.get("Contents", []):
                    print(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode())
                    open(cursor, "w").write(item["Key"])
                if not page["IsTruncated"]:
                    break
                marker = page["NextMarker"]
            """, in: folder, [key, cursor]
        ).split(separator: "\n").map(String.init)
    }
}

extension MessageBatch {
    fileprivate init(_ bodies: [String]) {
        self.init()
        for body in bodies { append(Array(body.utf8), at: .now) }
    }
}

extension S3Login {
    fileprivate func legacyBroker(_ options: LegacyOptions = LegacyOptions()) throws -> LegacyBroker {
        let configuration = S3Configuration(
            bucket: bucket, endpoint: endpoint, usesPathStyle: true,
            credentials: .fixed(S3Credentials(accessKeyID: accessKeyID, secretAccessKey: secretAccessKey)))
        return try LegacyBroker(store: S3ObjectStore(configuration), options: options, logger: Logger(label: "legacy"))
    }
}
