import CivilTime
import Logging
import MessageLog
import SystemPackage
import TestServers
import Testing

@Suite struct MessageLogConfigurationTests {
    private func brokers(_ change: (inout MessageLogConfiguration) -> Void) throws -> [String] {
        var configuration = MessageLogConfiguration()
        change(&configuration)
        return try configuration.brokerURLs.map(\.description)
    }

    @Test("the default brokers are those named, else S3 if a bucket is, else RabbitMQ if a host is, else a folder")
    func defaults() throws {
        #expect(try brokers { _ in } == ["file://\(MessageLogFolders.standard)"])
        #expect(try brokers { $0.host = "mq.example:5673" } == ["amqp://guest@mq.example:5673/%2F?exchange=muskrat"])
        #expect(
            try brokers {
                $0.host = "amqp://u@mq.example/v"
                $0.exchangeName = "old name"
            } == ["amqp://u@mq.example:5672/v?exchange=old name"])
        #expect(
            try brokers {
                $0.host = "mq.example"
                $0.s3Bucket = "chat"
            } == ["s3://chat"])
        #expect(
            try brokers {
                $0.s3Bucket = "chat"
                $0.s3Prefix = "a/b c"
                $0.s3Host = "127.0.0.1:9000"
            } == ["s3://chat/a/b%20c?endpoint=https%3A%2F%2F127.0.0.1%3A9000&path-style=true"])
        #expect(
            try brokers {
                $0.s3Bucket = "chat"
                $0.s3Host = "http://s3.example"
                $0.s3PathStyle = false
            } == ["s3://chat?endpoint=http%3A%2F%2Fs3.example"])
        #expect(
            try brokers {
                $0.s3Bucket = "chat"
                $0.s3AuthorityFile = "/etc/ssl/our fleet.pem"
            } == ["s3://chat?cacertfile=%2Fetc%2Fssl%2Four%20fleet.pem"])
        #expect(
            try brokers {
                $0.s3Bucket = "chat"
                $0.brokers = ["file:///a", "file:///b?layout=legacy"]
            } == ["file:///a", "file:///b?layout=legacy"])
    }

    @Test("the folder is the system's for root, and the user's state folder for others")
    func folders() {
        #expect(MessageLogFolders.standard(isRoot: true, state: "/s", home: "/h") == "/var/lib/muskrat")
        #expect(MessageLogFolders.standard(isRoot: false, state: "/s", home: "/h") == "/s/muskrat")
        #expect(MessageLogFolders.standard(isRoot: false, state: nil, home: "/h") == "/h/.local/state/muskrat")
        #expect(MessageLogFolders.standard(isRoot: false, state: "relative", home: "/h") == "/h/.local/state/muskrat")
    }

    @Test("key and secret of S3 belong together, and the secret shows nowhere")
    func secrets() throws {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        var configuration = MessageLogConfiguration()
        configuration.s3Bucket = "chat"
        configuration.s3Key = "AKIA"
        #expect(throws: MessageLogError.self) { try configuration.opening(logger: logger) }
        configuration.s3Secret = "a-secret"
        let opening = try configuration.opening(logger: logger)
        #expect(opening.credentials != nil)
        var dumped = "\(configuration) \(String(reflecting: configuration)) \(opening)"
        dump(configuration, to: &dumped)
        dump(opening, to: &dumped)
        #expect(!dumped.contains("a-secret"))
    }

    @Test("a producer of a configuration sends to its folders, and a reader finds the messages")
    func produce() async throws {
        try await withTemporaryFolder { folder in
            var configuration = MessageLogConfiguration()
            configuration.brokers = ["file://\(folder)/log", "file://\(folder)/legacy?layout=legacy"]
            // By default a disk that stands still for a second has them wait in the spool.
            configuration.producing.patience = .seconds(30)
            configuration.producing.spoolFolder = FilePath("\(folder)/spool")
            configuration.cursorFolder = FilePath("\(folder)/cursors")
            let producer = try Producer(routingKey: "a.b", configuration: configuration)
            let receipt = try await producer.send("one")
            try await producer.send("two")
            #expect(receipt.isStored)
            await producer.close()
            for broker in try configuration.openBrokers() {
                let reader = try await broker.makeReader(
                    of: RoutingPattern("a.b"), for: .standard, options: configuration.reading)
                var messages: [Message] = []
                while messages.count < 2 {
                    messages += try await reader.next()
                    try await reader.waitForMore(atMost: .milliseconds(20))
                }
                #expect(messages.map(\.text) == ["one", "two"])
                await reader.close()
                await broker.close()
            }
        }
    }
}
