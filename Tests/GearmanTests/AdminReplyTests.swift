import Testing

@testable import Gearman

@Suite struct AdminReplyTests {
    @Test("the rows of status are read, names with tabs included")
    func status() throws {
        #expect(try AdminReply.functions(in: ".\n") == [])
        let rows = try AdminReply.functions(in: "host.example\t3\t2\t4\na\tb\t0\t0\t1\n.\n")
        #expect(
            rows == [
                FunctionStatus(function: "host.example", jobs: 3, running: 2, workers: 4),
                FunctionStatus(function: "a\tb", jobs: 0, running: 0, workers: 1),
            ])
    }

    @Test("the rows of workers are read, clients and IPv6 addresses included")
    func workers() throws {
        let rows = try AdminReply.workers(in: "33 127.0.0.1 - :\n34 ::1 libra-1-2 : one two\n.\n")
        #expect(
            rows == [
                ConnectedWorker(descriptor: 33, address: "127.0.0.1", identifier: "-", functions: []),
                ConnectedWorker(descriptor: 34, address: "::1", identifier: "libra-1-2", functions: ["one", "two"]),
            ])
    }

    @Test("the version is read")
    func version() throws {
        #expect(try AdminReply.version(in: "OK 1.1.20+ds\r\n") == "1.1.20+ds")
    }

    @Test(
        "a reply that no job server gives is told as such, with the line",
        arguments: ["HTTP/1.1 400", "x\t1\t2", "1 2"])
    func nonsense(line: String) {
        for error in [
            #expect(throws: GearmanError.self) { try AdminReply.functions(in: line + "\n.\n") },
            #expect(throws: GearmanError.self) { try AdminReply.workers(in: line + "\n.\n") },
            #expect(throws: GearmanError.self) { try AdminReply.version(in: line + "\n") },
        ] {
            #expect(error?.code == .protocolViolation)
            #expect(error?.message.contains(line) == true)
        }
    }
}
