import Synchronization

/// An OpenStack Swift on free loopback ports, as Debian's `python3-swift` has it: a proxy with `tempauth`, and a server each
/// for accounts, containers and objects, with one replica in a folder.
public final class OpenStackSwiftServer: Sendable {
    /// The account's storage URL.
    public let storageURL: String
    /// A token that may do everything in the account.
    public let token: String
    /// A container in it, which is empty.
    public let container: String
    /// The port that requests go to.
    public let port: Int
    private let children: [ChildProcess]
    private static let containers = Atomic(0)

    private init(storageURL: String, token: String, port: Int, children: [ChildProcess]) {
        self.storageURL = storageURL
        self.token = token
        container = "logs-\(Self.containers.add(1, ordering: .relaxed).newValue)"
        self.port = port
        self.children = children
    }

    /// Starts the servers, and waits until they serve.
    ///
    /// - Parameter folder: Where they keep everything.
    /// - Returns: The running servers; they end with the test process at the latest.
    /// - Throws: ``TestServerError`` when they cannot be started.
    public static func start(in folder: String) async throws -> OpenStackSwiftServer {
        let backends = ["account", "container", "object"]
        let names = backends + ["proxy", "memcached"]
        let ports = Dictionary(uniqueKeysWithValues: zip(names, try freePorts(names.count)))
        func port(_ name: String) -> Int { ports[name] ?? 0 }

        try writeText(script, to: "\(folder)/serve.py")
        try writeText(
            "[swift-hash]\nswift_hash_path_suffix = libra\n[storage-policy:0]\nname = one\ndefault = yes\n",
            to: "\(folder)/swift.conf")
        for name in backends {
            try writeText(
                """
                [DEFAULT]
                \(common(folder, port(name)))
                devices = \(folder)/devices
                mount_check = false
                [pipeline:main]
                pipeline = \(name)-server
                [app:\(name)-server]
                use = egg:swift#\(name)
                \(patience)

                """, to: "\(folder)/\(name).conf")
        }
        try writeText(
            """
            [DEFAULT]
            \(common(folder, port("proxy")))
            [pipeline:main]
            pipeline = catch_errors cache tempauth copy slo dlo proxy-server
            [app:proxy-server]
            use = egg:swift#proxy
            account_autocreate = true
            \(patience)
            [filter:catch_errors]
            use = egg:swift#catch_errors
            [filter:cache]
            use = egg:swift#memcache
            memcache_servers = 127.0.0.1:\(port("memcached"))
            connect_timeout = 20
            pool_timeout = 20
            io_timeout = 20
            [filter:tempauth]
            use = egg:swift#tempauth
            user_libra_writer = secret .admin
            user_libra_stranger = secret
            [filter:copy]
            use = egg:swift#copy
            [filter:slo]
            use = egg:swift#slo
            [filter:dlo]
            use = egg:swift#dlo

            """, to: "\(folder)/proxy.conf")

        let (code, output) = try await run(
            python, ["\(folder)/serve.py", folder, "rings"] + backends.map { "\(port($0))" })
        guard code == 0 else { throw TestServerError("Swift's rings (apt-get install python3-swift): \(output)") }
        var children = [
            try await ChildProcess.start(
                "memcached", ["-u", "root", "-l", "127.0.0.1", "-p", "\(port("memcached"))"], in: folder)
        ]
        for name in backends + ["proxy"] {
            children.append(try await ChildProcess.start(python, ["\(folder)/serve.py", folder, name], in: folder))
        }
        for name in names {
            try await eventually(within: .seconds(60), "Swift's \(name) server") {
                if let ended = children.first(where: { !$0.isRunning }) {
                    throw TestServerError("a server of Swift has ended: \(ended.output)")
                }
                return accepts(port: port(name))
            }
        }
        let (url, token) = try await login("writer", port: port("proxy"))
        let server = OpenStackSwiftServer(storageURL: url, token: token, port: port("proxy"), children: children)
        try await server.makeContainer()
        return server
    }

    private func makeContainer() async throws {
        try await eventually(within: .seconds(30), "a container") {
            try await curl("-X", "PUT", "\(storageURL)/\(container)").hasPrefix("HTTP/1.1 201")
        }
    }

    /// A token of a user who may do nothing in the account.
    public func tokenOfStranger() async throws -> String { try await Self.login("stranger", port: port).token }

    /// Asks the proxy with curl, as somebody who has the token.
    ///
    /// - Returns: The answer with its head.
    /// - Throws: ``TestServerError`` when there is none.
    @discardableResult
    public func curl(_ arguments: String...) async throws -> String {
        let (code, output) = try await run("curl", ["-s", "-i", "-H", "X-Auth-Token: \(token)"] + arguments)
        guard code == 0 else { throw TestServerError("curl: \(code) \(output)") }
        return output
    }

    /// Ends the servers.
    public func stop() async {
        for child in children { await child.kill() }
    }

    private static func login(_ user: String, port: Int) async throws -> (url: String, token: String) {
        var found: (url: String, token: String)?
        try await eventually(within: .seconds(30), "a token") {
            let (_, output) = try await run(
                "curl",
                [
                    "-s", "-i", "-H", "X-Auth-User: libra:\(user)", "-H", "X-Auth-Key: secret",
                    "http://127.0.0.1:\(port)/auth/v1.0",
                ])
            func header(_ name: String) -> String? {
                let line = output.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(name): ") }
                return line.map { String($0.dropFirst(name.count + 2)) }
            }
            guard let url = header("X-Storage-Url"), let token = header("X-Auth-Token") else { return false }
            found = (url, token)
            return true
        }
        guard let found else { throw TestServerError("no token") }
        return found
    }

    /// Debian's own, which has Swift's modules.
    private static let python = "/usr/bin/python3"

    /// How long the servers wait for each other.
    ///
    /// By default that is a second or less, and what an object's server could not tell that of containers until then a
    /// listing does not have for as long as nobody updates it.
    private static let patience = "conn_timeout = 20\nnode_timeout = 60\ncontainer_update_timeout = 60"

    private static func common(_ folder: String, _ port: Int) -> String {
        "swift_dir = \(folder)\nbind_ip = 127.0.0.1\nbind_port = \(port)\nworkers = 0\nuser = root"
    }

    private static let script = """
        import sys

        folder, what = sys.argv[1:3]
        if what == "rings":
            import os
            from swift.common.ring import RingBuilder
            os.makedirs(folder + "/devices/disk")
            for name, port in zip(("account", "container", "object"), sys.argv[3:]):
                builder = RingBuilder(2, 1, 1)
                builder.add_dev({"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port),
                                 "device": "disk", "weight": 1})
                builder.rebalance()
                builder.get_ring().save(folder + "/" + name + ".ring.gz")
        else:
            import eventlet
            eventlet.patcher.monkey_patch(all=False, socket=True, select=True, thread=True, time=True)
            from swift.common import storage_policy, utils
            utils.SWIFT_CONF_FILE = storage_policy.SWIFT_CONF_FILE = folder + "/swift.conf"
            from swift.common.wsgi import run_wsgi
            sys.exit(run_wsgi(folder + "/" + what + ".conf", what + "-server"))
        """
}

extension OpenStackSwiftServer: PooledServer {
    /// The same server with another container.
    func fresh() async throws -> OpenStackSwiftServer {
        let server = OpenStackSwiftServer(storageURL: storageURL, token: token, port: port, children: children)
        try await server.makeContainer()
        return server
    }

    func end() async { await stop() }

    func killAtExit() {
        for child in children { child.killAtExit() }
    }

    fileprivate static let pool = ServerPool<OpenStackSwiftServer>()
}

/// Gives an OpenStack Swift with an empty container to `body`, for it alone; it is handed on to the next test.
public func withOpenStackSwift<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: (OpenStackSwiftServer) async throws -> Value
) async throws -> Value {
    try await OpenStackSwiftServer.pool.with(body)
}
