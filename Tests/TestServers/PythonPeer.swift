/// A ZeroMQ peer that this project did not write: pyzmq, in a python3 of its own.
public struct PythonPeer: Sendable {
    private let child: ChildProcess
    private let path: String

    /// Starts a PULL socket, which keeps what comes.
    ///
    /// - Parameters:
    ///   - side: Whether it binds or connects.
    ///   - endpoint: Where.
    ///   - folder: Where it may write.
    /// - Returns: The running peer; it ends with the test process at the latest.
    /// - Throws: ``TestServerError`` when it cannot be started.
    public static func pull(_ side: Side, _ endpoint: String, in folder: String) async throws -> PythonPeer {
        try await start(puller, [side.rawValue, endpoint], in: folder)
    }

    /// Starts a PUSH socket, which sends the lines of a file, a message each, and stays until it is ended.
    public static func push(
        _ file: String, _ side: Side, _ endpoint: String, in folder: String
    ) async throws -> PythonPeer {
        try await start(pusher, [side.rawValue, endpoint, file], in: folder)
    }

    /// Which end of a connection a peer is.
    public enum Side: String, Sendable { case bind, connect }

    /// The messages that came so far, in their order; of several frames, a line feed stands between them.
    public var messages: [String] {
        // The last one may be half written.
        readText(path).split(separator: "\0", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    /// Waits until so many messages have come, and gives them.
    public func messages(_ count: Int, within limit: Duration = .seconds(30)) async throws -> [String] {
        try await eventually(within: limit, "\(count) messages; there are \(messages.count) \(child.output)") {
            guard child.isRunning else { throw TestServerError("the peer has ended: \(child.output)") }
            return messages.count >= count
        }
        return messages
    }

    /// Sends it a signal; SIGSTOP makes it slow.
    public func signal(_ number: Int32) { child.signal(number) }

    /// Ends it.
    public func stop() async { await child.kill() }

    private static func start(_ script: String, _ arguments: [String], in folder: String) async throws -> PythonPeer {
        let path = "\(folder)/peer-\(try freePort()).messages"
        try writeText(script, to: path + ".py")
        let child = try await ChildProcess.start(
            "python3", [path + ".py", path] + arguments, environment: try PythonPackages.environment(), in: folder)
        try await eventually("the peer in Python; its output: \(child.output)") {
            guard child.isRunning else { throw TestServerError("the peer has ended: \(child.output)") }
            return exists(path)
        }
        return PythonPeer(child: child, path: path)
    }

    private static let puller = """
        import sys, zmq

        path, side, endpoint = sys.argv[1:]
        socket = zmq.Context().socket(zmq.PULL)
        getattr(socket, side)(endpoint)
        with open(path, "wb", buffering=0) as file:
            while True:
                file.write(b"\\n".join(socket.recv_multipart()) + b"\\0")
        """

    private static let pusher = """
        import sys, time, zmq

        path, side, endpoint, lines = sys.argv[1:]
        socket = zmq.Context().socket(zmq.PUSH)
        getattr(socket, side)(endpoint)
        open(path, "wb").close()
        for line in open(lines, "rb"):
            socket.send(line.rstrip(b"\\n"))
        while True:
            time.sleep(60)
        """
}
