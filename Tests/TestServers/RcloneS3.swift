import Glibc

/// An `rclone serve s3` on a free loopback port: it checks signatures, and ignores conditions on puts.
public struct RcloneS3: Sendable {
    /// Where it is.
    public let login: S3Login
    private let process: ChildProcess

    /// Starts a server with a bucket.
    ///
    /// - Parameter folder: Where it keeps everything.
    /// - Returns: The running server; it ends with the test process at the latest.
    /// - Throws: ``TestServerError`` when it cannot be started.
    public static func start(in folder: String) async throws -> RcloneS3 {
        let login = S3Login(port: try freePort())
        let root = "\(folder)/rclone"
        for path in [root, "\(root)/\(login.bucket)"] {
            guard mkdir(path, 0o755) == 0 else { throw TestServerError("cannot make the folder \(path)") }
        }
        let process = try await ChildProcess.start(
            try PythonPackages.program("rclone"),
            [
                "serve", "s3", "--addr", "127.0.0.1:\(login.port)", "--auth-key",
                "\(login.accessKeyID),\(login.secretAccessKey)", "--config", "\(folder)/rclone.conf", root,
            ], environment: ["HOME": folder], in: folder)
        try await eventually(within: .seconds(30), "rclone on port \(login.port)") {
            guard process.isRunning else { throw TestServerError("rclone has ended: \(process.output)") }
            return accepts(port: login.port)
        }
        return RcloneS3(login: login, process: process)
    }

    /// Ends it.
    public func stop() async { await process.kill() }
}
