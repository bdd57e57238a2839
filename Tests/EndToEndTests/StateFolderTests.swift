import Gearman
import Glibc
import LoadBalancing
import TestServers
import Testing

extension EndToEnd {
    @Suite(
        "The state of an ordinary user's worker in the foreground",
        .enabled(if: geteuid() == 0, "needs root, to become an ordinary user"))
    struct StateFolderTests {
        @Test(
            "is in the folder that systemd gives it, else in the user's own",
            arguments: [
                (["STATE_DIRECTORY": "FOLDER/service", "XDG_STATE_HOME": "FOLDER/own"], "service"),
                (["XDG_STATE_HOME": "FOLDER/own"], "own/libra"),
                (["XDG_STATE_HOME": "", "HOME": "FOLDER/home"], "home/.local/state/libra"),
            ])
        func place(variables: [String: String], expected: String) async throws {
            try await withTemporaryFolder { folder in
                for name in ["service", "own", "home"] { mkdir("\(folder)/\(name)", 0o755) }
                _ = try await run("chown", ["nobody", "\(folder)/service", "\(folder)/own", "\(folder)/home"])
                let program = "\(folder)/libra_worker"
                _ = try await run("cp", [Repository.executable("libra_worker"), program])
                let environment = variables.mapValues { $0.replacing("FOLDER", with: folder) }
                try await withGearmanServer { server in
                    let worker = try await ChildProcess.start(
                        "setpriv",
                        [
                            "--reuid=nobody", "--clear-groups", "--pdeathsig=KILL", program, "--nodaemon",
                            "--haproxy-service=process", "--server=127.0.0.1:\(server.port)", "--function=at-home",
                        ], environment: environment, in: folder)
                    let front = try freePort()
                    let request = updateRequest(front: front, nodes: [front])
                    let reply = try? await client(of: server).send(request, to: "at-home")
                    #expect(reply?.isPass == true, "\(worker.output)")
                    #expect(exists("\(folder)/\(expected)/haproxy.cfg"), "\(worker.output)")
                    await worker.stop()
                    await endProcess(namedIn: "\(folder)/\(expected)/haproxy.pid")
                }
            }
        }
    }
}
