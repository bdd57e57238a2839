import Gearman
import TestServers
import Testing

@Suite(.timeLimit(.minutes(1))) struct GearmanForeignClientTests {
    @Test("the gearman command of gearman-tools gets its result, whatever the bytes")
    func gearmanCommand() async throws {
        try await withGearmanServer { server in
            try await withEcho("host.example", on: server.port) {
                try await withTemporaryFolder { folder in
                    try writeText("{\"hpcs_action\": \"DISCOVER\"}\n", to: "\(folder)/job.json")
                    let (code, output) = try await run(
                        "gearman", ["-h", "127.0.0.1", "-p", "\(server.port)", "-f", "host.example"],
                        input: "\(folder)/job.json")
                    #expect(code == 0)
                    #expect(output == "{\"hpcs_action\": \"DISCOVER\"}\n")
                }
            }
        }
    }

    @Test("Python's gear gets its result, and hears of a failure")
    func gear() async throws {
        let packages = try PythonPackages.environment()
        try await withGearmanServer { server in
            let worker = try Worker(function: "pick", servers: [local(server.port)], logger: quietLogger) { job in
                job.workload == Array("fail".utf8) ? .fail : .complete(job.workload)
            }
            try await withWorker(worker) { _ in
                try await withTemporaryFolder { folder in
                    try writeText(script, to: "\(folder)/client.py")
                    let (code, output) = try await run(
                        "python3", ["\(folder)/client.py", "\(server.port)"], environment: packages)
                    #expect(code == 0)
                    #expect(output == "done\nfailed\n")
                }
            }
        }
    }

    private let script = """
        import sys, threading, gear

        class Client(gear.Client):
            def handleWorkComplete(self, packet):
                job = super().handleWorkComplete(packet)
                print("done" if b"".join(job.data) == bytes(range(256)) * 100 else "wrong", flush=True)
                finished.set()

            def handleWorkFail(self, packet):
                super().handleWorkFail(packet)
                print("failed", flush=True)
                finished.set()

        client = Client()
        client.addServer("127.0.0.1", int(sys.argv[1]))
        client.waitForServer()
        for workload in (bytes(range(256)) * 100, b"fail"):
            finished = threading.Event()
            client.submitJob(gear.Job(b"pick", workload))
            if not finished.wait(10):
                sys.exit("no answer")
        client.shutdown()
        """
}
