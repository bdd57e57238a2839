/// A small HTTP server on loopback that answers every request with its name: the node behind a balancer.
public struct HTTPNode: Sendable {
    /// What it answers.
    public let name: String
    /// Its loopback port.
    public let port: Int
    /// Its process.
    public let process: ChildProcess

    /// Starts a node and waits until it accepts connections.
    ///
    /// - Parameters:
    ///   - name: What it answers with.
    ///   - folder: Where a file for its output may be written.
    /// - Returns: The node.
    /// - Throws: ``TestServerError`` when it does not listen in time.
    public static func start(_ name: String, in folder: String) async throws -> HTTPNode {
        let port = try freePort()
        let process = try await ChildProcess.start("python3", ["-c", script, name, "\(port)"], in: folder)
        try await eventually("node \(name) listens; it says: \(process.output)") { accepts(port: port) }
        return HTTPNode(name: name, port: port, process: process)
    }

    /// Ends the node.
    public func stop() async { await process.kill() }

    private static let script = """
        import sys
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        class Node(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = (sys.argv[1] + "\\n").encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Request-Cookie", self.headers.get("Cookie", ""))
                self.send_header("X-Client", self.headers.get("X-Forwarded-For", ""))
                self.end_headers()
                self.wfile.write(body)

            do_HEAD = do_OPTIONS = do_GET

            def log_message(self, *arguments):
                pass

        ThreadingHTTPServer.request_queue_size = 128
        ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Node).serve_forever()
        """
}
